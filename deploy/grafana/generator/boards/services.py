"""What the pipeline depends on: probed services, Redis, PostgreSQL."""

from board import Board, Row
from limits import PERCENT, limit
from panel import GREEN, ORANGE, RED, UP, YELLOW, Column, graph, number, table, timeline
from query import PROBE, Query

OF = 'probe=~"$probe"'
DAY = 86400
CERTIFICATE = (
    (limit("CertificateExpiresNow", DAY), ORANGE),
    (limit("CertificateExpiresSoon", DAY), GREEN),
)
CONNECTIONS = ((limit("DatabaseConnectionsHigh", PERCENT), RED),)

BOARD = Board(
    name="services",
    title="Services",
    description="What the pipeline depends on: probed services, their availability, Redis, PostgreSQL, certificates.",
    tags=("services",),
    variables=(PROBE,),
    rows=(
        Row(
            "Probes",
            (
                number(
                    "Down",
                    "Probed services whose last look failed.",
                    Query(f"count(probe_success{{{OF}}} == 0) or vector(0)", "down"),
                    unit="short",
                    steps=((1, RED),),
                    size=(4, 8),
                ),
                timeline(
                    "Up and down",
                    "Every probed service over time. Several that go red together share something: a host, a network.",
                    Query(f"probe_success{{{OF}}}", "{{kind}} {{probe}}"),
                    size=(20, 8),
                ),
                graph(
                    "Latency",
                    "How long each answer took. What rises here slows down everything behind it.",
                    Query(f"probe_duration_seconds{{{OF}}}", "{{kind}} {{probe}}"),
                    unit="s",
                ),
                table(
                    "Services",
                    "Every probed service: its state, and the share of the time shown in which it was up.",
                    Column("state", f"max by (kind, probe) (probe_success{{{OF}}})", "none", mappings=tuple(UP)),
                    Column(
                        "available",
                        f"avg by (kind, probe) (avg_over_time(probe_success{{{OF}}}[$__range]))",
                        "percentunit",
                    ),
                    Column("latency", f"max by (kind, probe) (probe_duration_seconds{{{OF}}})", "s"),
                    labels={"kind": "kind", "probe": "service"},
                    size=(12, 8),
                ),
                graph(
                    "HTTP status",
                    "The status of the last answer. 2xx is well unless the probe was told otherwise.",
                    Query(f"probe_http_status_code{{{OF}}}", "{{probe}}"),
                    unit="none",
                    least=None,
                    decimals=0,
                ),
                number(
                    "Certificates expire in",
                    "Until the certificate that is shown expires. 14 days and less are a warning, 3 critical.",
                    Query(f"probe_tls_certificate_expiry_timestamp_seconds{{{OF}}} - time()", "{{probe}}", now=True),
                    unit="s",
                    base=RED,
                    steps=CERTIFICATE,
                    size=(12, 8),
                    line=False,
                    none="none is seen",
                ),
            ),
        ),
        Row(
            "Redis",
            (
                graph(
                    "Redis memory",
                    "Memory in use, and the most that is allowed (0: no bound). At the bound it evicts, or refuses.",
                    Query("redis_memory_used_bytes", "{{redis}} used"),
                    Query("redis_memory_max_bytes", "{{redis}} at most"),
                    Query("redis_memory_resident_bytes", "{{redis}} resident"),
                    unit="bytes",
                    size=(8, 8),
                ),
                graph(
                    "Redis commands",
                    "Commands per second.",
                    Query("rate(redis_commands_processed_total[$__rate_interval])", "{{redis}}"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Redis clients",
                    "Clients that are connected, and those that wait in a blocking command, as idle workers do.",
                    Query("redis_connected_clients", "{{redis}} connected"),
                    Query("redis_blocked_clients", "{{redis}} blocked"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Redis evictions and refusals",
                    "Per second. Evicted keys of a queue are lost tasks; refused connections are workers that fail.",
                    Query("rate(redis_evicted_keys_total[$__rate_interval])", "{{redis}} evicted"),
                    Query("rate(redis_expired_keys_total[$__rate_interval])", "{{redis}} expired"),
                    Query("rate(redis_rejected_connections_total[$__rate_interval])", "{{redis}} refused"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Redis keys found",
                    "Share of look-ups that found their key.",
                    Query(
                        "rate(redis_keyspace_hits_total[$__rate_interval]) / "
                        "(rate(redis_keyspace_hits_total[$__rate_interval]) + "
                        "rate(redis_keyspace_misses_total[$__rate_interval]))",
                        "{{redis}}",
                    ),
                    unit="percentunit",
                    most=1,
                    size=(8, 8),
                ),
                graph(
                    "Redis keys",
                    "Keys of each database. A number that only grows is results that nobody removes.",
                    Query("redis_keys", "{{redis}} {{db}}"),
                    unit="short",
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "PostgreSQL",
            (
                graph(
                    "Connections in use",
                    "Share of the connections that the database allows. Above 80 % new ones are soon refused.",
                    Query(
                        f"sum by (probe) (postgresql_connections{{{OF}}}) / "
                        f"sum by (probe) (postgresql_connections_limit{{{OF}}})",
                        "{{probe}}",
                    ),
                    unit="percentunit",
                    most=1,
                    limits=CONNECTIONS,
                    size=(8, 8),
                ),
                graph(
                    "Connections by state",
                    "Many idle in transaction: somebody opens transactions and forgets them.",
                    Query(f"sum by (state) (postgresql_connections{{{OF}}})", "{{state}}"),
                    unit="short",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Waiting for locks, and the oldest transaction",
                    "How long the oldest of them have run. A minute of waiting for a lock fires DatabaseLocksWait.",
                    Query(f"postgresql_lock_wait_max_seconds{{{OF}}}", "{{probe}} waits"),
                    Query(f"postgresql_transaction_max_seconds{{{OF}}}", "{{probe}} transaction"),
                    unit="s",
                    limits=((limit("DatabaseLocksWait"), YELLOW),),
                    size=(8, 8),
                ),
                graph(
                    "Locks",
                    "Locks that are held, and that statements wait for.",
                    Query(f"sum by (probe, state) (postgresql_locks{{{OF}}})", "{{probe}} {{state}}"),
                    unit="short",
                ),
                graph(
                    "Slowest statements",
                    "Seconds that a run of the slowest statements takes on average. Which statement has an id stands "
                    "at /api/v1/probes of Watchkeeper.",
                    Query(f"postgresql_statement_mean_seconds{{{OF}}}", "{{probe}} {{queryid}}"),
                    unit="s",
                ),
            ),
        ),
    ),
)
