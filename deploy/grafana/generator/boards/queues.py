"""What waits, for how long, and whether it will be worked off."""

from board import Board, Row
from limits import MINUTES, PERCENT, limit
from panel import GREEN, RED, YELLOW, Column, graph, heat, histogram, number, table
from query import QUEUE, Query, quantiles

DEPTH = ((limit("QueuePendingAboveTarget"), YELLOW), (limit("QueueBacklog"), RED))
PROCESSING = ((limit("QueueProcessingAboveTarget"), YELLOW),)
RATIO = limit("CompletionRateLow", PERCENT)
STUCK = limit("TaskTooLongInProcessing", MINUTES)
STATES = ("pending", "processing", "delayed", "dead")


def _sum(state: str) -> Query:
    return Query(f'sum(queue_depth{{queue=~"$queue", state="{state}"}})', state)


BOARD = Board(
    name="queues",
    title="Queues",
    description="Depth, age, arrivals, completions and drain time of every queue.",
    tags=("queues",),
    variables=(QUEUE,),
    rows=(
        Row(
            "Now",
            (
                number(
                    "Waiting",
                    "Tasks that no worker has taken. Above 100 it is a backlog.",
                    _sum("pending"),
                    unit="short",
                    steps=DEPTH,
                ),
                number(
                    "In work",
                    "Tasks that workers have taken. Many of them with few workers are tasks whose worker is gone.",
                    _sum("processing"),
                    unit="short",
                ),
                number(
                    "Delayed",
                    "Tasks that wait for their next attempt.",
                    _sum("delayed"),
                    unit="short",
                ),
                number(
                    "Dead",
                    "Tasks that were given up. See why, then queue them again or remove them on Watchkeeper's page.",
                    _sum("dead"),
                    unit="short",
                    steps=((1, RED),),
                ),
                number(
                    "Empty in",
                    "Until the slowest queue is empty if no more arrives, at the rate of the last minutes.",
                    Query('max(queue_drain_seconds{queue=~"$queue"})', "drain"),
                    unit="s",
                    none="nothing is taken",
                ),
                number(
                    "Ended well",
                    "The lowest share of tasks that ended well among those that ended. The target is 90 %.",
                    Query('min(queue_completion_ratio{queue=~"$queue"})', "ratio"),
                    unit="percentunit",
                    base=RED,
                    steps=((RATIO, GREEN),),
                    none="none ended",
                    decimals=1,
                ),
            ),
        ),
        Row(
            "Depth and age",
            (
                graph(
                    "Waiting tasks",
                    "Tasks that wait, by queue. A line that rises and does not fall: more comes in than goes out.",
                    Query('queue_depth{queue=~"$queue", state="pending"}', "{{queue}}"),
                    unit="short",
                    limits=DEPTH,
                ),
                graph(
                    "Tasks in work",
                    "Tasks in work, by queue. Five and more with few workers: see whether their workers still live.",
                    Query('queue_depth{queue=~"$queue", state="processing"}', "{{queue}}"),
                    unit="short",
                    limits=PROCESSING,
                ),
                graph(
                    "Age of the oldest task that waits",
                    "How long the task has waited that has waited longest. It rises as fast as the clock when "
                    "nothing is taken from the queue.",
                    Query('queue_oldest_age_seconds{queue=~"$queue", state="pending"}', "{{queue}}"),
                    unit="s",
                ),
                graph(
                    "Age of the oldest task in work",
                    "A task in work for more than ten minutes is stuck, or its worker is gone.",
                    Query('queue_oldest_age_seconds{queue=~"$queue", state="processing"}', "{{queue}}"),
                    unit="s",
                    limits=((STUCK, RED),),
                ),
                graph(
                    "All tasks by state",
                    "Everything that lies in the queues. Dead tasks that grow are failures that nobody looks at.",
                    Query('sum by (state) (queue_depth{queue=~"$queue"})', "{{state}}"),
                    unit="short",
                    stacked=True,
                    states=STATES,
                ),
                graph(
                    "Time until it is empty",
                    "If no more arrives, and workers go on as in the last minutes. No line where nothing is taken.",
                    Query('queue_drain_seconds{queue=~"$queue"}', "{{queue}}"),
                    unit="s",
                ),
            ),
        ),
        Row(
            "In and out",
            (
                graph(
                    "Arrivals and completions",
                    "Tasks per second that come in and go out. Where arrivals stay above completions, the queue grows.",
                    Query('queue_arrival_rate{queue=~"$queue"}', "{{queue}} in"),
                    Query('queue_completion_rate{queue=~"$queue"}', "{{queue}} out"),
                    unit="ops",
                ),
                graph(
                    "Tasks that ended",
                    "Ends per second, well and badly, as seen in the queue itself.",
                    Query('rate(queue_completed_total{queue=~"$queue"}[$__rate_interval])', "{{queue}} completed"),
                    Query('rate(queue_failed_total{queue=~"$queue"}[$__rate_interval])', "{{queue}} failed"),
                    unit="ops",
                ),
                graph(
                    "Tasks that arrived",
                    "Tasks per second that were put into the queue. Peaks show when the work comes.",
                    Query('rate(queue_enqueued_total{queue=~"$queue"}[$__rate_interval])', "{{queue}}"),
                    unit="ops",
                ),
                graph(
                    "Share that ended well",
                    "Tasks that ended well among those that ended, over a window. Below 90 % the rule "
                    "CompletionRateLow fires.",
                    Query('queue_completion_ratio{queue=~"$queue"}', "{{queue}}"),
                    unit="percentunit",
                    most=1,
                    limits=((RATIO, RED),),
                ),
            ),
        ),
        Row(
            "Waiting time",
            (
                graph(
                    "Waiting time",
                    "From submission to start, by queue: half, 95 and 99 of 100 tasks waited no longer.",
                    *quantiles("queue_wait_seconds", 'queue=~"$queue"', "queue"),
                    unit="s",
                    size=(12, 9),
                ),
                heat(
                    "Waiting time over time",
                    "How waiting times are spread: the darker, the more tasks. A band that climbs is a backlog that "
                    "builds up.",
                    "queue_wait_seconds",
                    'queue=~"$queue"',
                    size=(12, 9),
                ),
                histogram(
                    "How long tasks waited",
                    "Tasks of the time that is shown, by how long they waited; bars are named by their upper bound "
                    "in seconds.",
                    "queue_wait_seconds",
                    'queue=~"$queue"',
                    size=(24, 7),
                ),
            ),
        ),
        Row(
            "All queues",
            (
                table(
                    "Queues",
                    "Every queue with what it holds and how it moves. Sort by a column to find the worst.",
                    Column("waiting", 'sum by (queue) (queue_depth{queue=~"$queue", state="pending"})', steps=DEPTH),
                    Column("in work", 'sum by (queue) (queue_depth{queue=~"$queue", state="processing"})'),
                    Column(
                        "oldest waits",
                        'max by (queue) (queue_oldest_age_seconds{queue=~"$queue", state="pending"})',
                        "s",
                    ),
                    Column("in per second", 'max by (queue) (queue_arrival_rate{queue=~"$queue"})', "ops"),
                    Column("out per second", 'max by (queue) (queue_completion_rate{queue=~"$queue"})', "ops"),
                    Column("empty in", 'max by (queue) (queue_drain_seconds{queue=~"$queue"})', "s"),
                    Column("ended well", 'min by (queue) (queue_completion_ratio{queue=~"$queue"})', "percentunit"),
                    labels={"queue": "queue"},
                    size=(24, 7),
                ),
            ),
        ),
    ),
)
