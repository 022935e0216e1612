"""What fires, what has fired, and whether people were told."""

from board import Board, Row
from panel import ORANGE, RED, YELLOW, Column, bars, graph, number, table, timeline
from query import ALERTNAME, Query

OF = 'alertname=~"$alertname"'


def _count(severity: str) -> Query:
    return Query(f'count(ALERTS{{{OF}, alertstate="firing", severity="{severity}"}}) or vector(0)', severity)


BOARD = Board(
    name="alerts",
    title="Alerts",
    description="Alerts that fire and have fired, the evaluation of rules, and the delivery of notifications.",
    tags=("alerts",),
    variables=(ALERTNAME,),
    since="now-24h",
    page="/?alerts=all",
    rows=(
        Row(
            "Now",
            (
                number(
                    "Critical",
                    "Critical alerts that fire, acknowledged or not. Act now.",
                    _count("critical"),
                    unit="short",
                    steps=((1, RED),),
                ),
                number(
                    "Errors",
                    "Alerts of the severity error that fire: something is broken.",
                    _count("error"),
                    unit="short",
                    steps=((1, RED),),
                ),
                number(
                    "Warnings",
                    "Warnings that fire: something will be broken.",
                    _count("warning"),
                    unit="short",
                    steps=((1, ORANGE),),
                ),
                number(
                    "Infos",
                    "Infos that fire: a target is missed, or something has changed.",
                    _count("info"),
                    unit="short",
                ),
                number(
                    "Pending",
                    "Conditions that hold, not yet for long enough to fire.",
                    Query(f'count(ALERTS{{{OF}, alertstate="pending"}}) or vector(0)', "pending"),
                    unit="short",
                    steps=((1, YELLOW),),
                ),
                number(
                    "Channels down",
                    "Channels whose last delivery failed: people are not told.",
                    Query("count(watchkeeper_channel_up == 0) or vector(0)", "down"),
                    unit="short",
                    steps=((1, RED),),
                ),
            ),
        ),
        Row(
            "Alerts",
            (
                table(
                    "Alerts that fire",
                    "Each alert that fires, and for how long its condition has held. What to do about it, and the "
                    "evidence, are on Watchkeeper's page.",
                    Column(
                        "holds for",
                        f"(time() - ALERTS_FOR_STATE{{{OF}}}) and ignoring (alertstate) ALERTS{{{OF}, "
                        'alertstate="firing"}',
                        "s",
                    ),
                    labels={"alertname": "alert", "severity": "severity"},
                ),
                timeline(
                    "When alerts fired",
                    "Each alert over time. Many that begin at once have one cause; one that comes and goes needs a "
                    "longer `for`.",
                    Query(f'max by (alertname) (ALERTS{{{OF}, alertstate="firing"}})', "{{alertname}}"),
                    size=(24, 10),
                    firing=True,
                ),
                graph(
                    "Alerts that fire, by severity",
                    "How many fire at a time.",
                    Query(f'count by (severity) (ALERTS{{{OF}, alertstate="firing"}})', "{{severity}}"),
                    unit="short",
                    stacked=True,
                    states=("critical", "error", "warning", "info"),
                    decimals=0,
                ),
                bars(
                    "Alerts that fired longest",
                    "How long each alert fired in the time that is shown, to the minute. What always fires is not "
                    "read any more: mend it, or change its rule.",
                    Query(
                        f'topk(15, 60 * count_over_time(max by (alertname) (ALERTS{{{OF}, alertstate="firing"}})'
                        "[$__range:1m]))",
                        "{{alertname}}",
                        now=True,
                    ),
                    unit="s",
                ),
            ),
        ),
        Row(
            "Rules and notifications",
            (
                graph(
                    "Evaluations of rules",
                    "Per second. Failures: an expression that cannot be evaluated, or takes too long; missed: the one "
                    "before took too long.",
                    Query("sum(rate(watchkeeper_rule_evaluations_total[$__rate_interval]))", "evaluated"),
                    Query("sum(rate(watchkeeper_rule_evaluation_failures_total[$__rate_interval]))", "failed"),
                    Query("rate(watchkeeper_rule_evaluations_missed_total[$__rate_interval])", "missed"),
                    unit="ops",
                    states=("failed",),
                    size=(8, 8),
                ),
                graph(
                    "Duration of the last evaluation",
                    "How long the last group of rules took. Near its interval, evaluations are missed.",
                    Query("max(watchkeeper_rule_group_last_duration_seconds)", "longest"),
                    unit="s",
                    size=(8, 8),
                ),
                graph(
                    "Notifications",
                    "Within an hour, by channel. Failed attempts are tried again; what is given up reached nobody.",
                    Query("increase(watchkeeper_notifications_delivered_total[1h])", "{{channel}} delivered"),
                    Query("increase(watchkeeper_notifications_failed_total[1h])", "{{channel}} failed"),
                    Query("increase(watchkeeper_notifications_dead_total[1h])", "{{channel}} given up"),
                    unit="short",
                    size=(8, 8),
                ),
            ),
        ),
    ),
)
