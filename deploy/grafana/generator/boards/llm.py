"""Calls of language models, as applications report them, and the backends that answer."""

from board import Board, Row
from limits import limit
from panel import ORANGE, RED, Column, bars, graph, heat, number, table, timeline
from query import MODEL, Query, quantiles, share

OF = 'model=~"$model"'
SLOW = ((limit("LlmBackendSlow"), RED),)
ERRORS = ((0.05, ORANGE), (0.1, RED))
BACKENDS = 'kind=~"ollama|openai"'


def _tokens(kind: str) -> str:
    return f'sum by (model) (rate(llm_tokens_total{{{OF}, type="{kind}"}}[$__rate_interval]))'


CALLS = f"sum by (model) (rate(llm_calls_total{{{OF}}}[$__rate_interval]))"

BOARD = Board(
    name="llm",
    title="LLM",
    description="Calls of models: rate, errors, durations, tokens; and the backends that answer them.",
    tags=("llm",),
    variables=(MODEL,),
    rows=(
        Row(
            "Now",
            (
                number(
                    "Calls",
                    "Calls per second, of all models that are chosen.",
                    Query(f"sum(rate(llm_calls_total{{{OF}}}[$__rate_interval]))", "rate"),
                    unit="reqps",
                    decimals=2,
                ),
                number(
                    "Failed",
                    "Share of calls that failed within five minutes.",
                    Query(
                        f'(sum(rate(llm_calls_total{{{OF}, status="error"}}[5m])) or vector(0)) / '
                        f"sum(rate(llm_calls_total{{{OF}}}[5m]))",
                        "failed",
                    ),
                    unit="percentunit",
                    steps=ERRORS,
                    decimals=1,
                ),
                number(
                    "95 % are answered within",
                    "From the question to the whole answer.",
                    Query(
                        "histogram_quantile(0.95, sum by (le) "
                        f"(rate(llm_call_duration_seconds_bucket{{{OF}}}[$__rate_interval])))",
                        "p95",
                    ),
                    unit="s",
                    none="no call",
                ),
                number(
                    "First token within",
                    "95 of 100 calls gave their first token within. This is what people wait for who read along.",
                    Query(
                        "histogram_quantile(0.95, sum by (le) "
                        f"(rate(llm_time_to_first_token_seconds_bucket{{{OF}}}[$__rate_interval])))",
                        "p95",
                    ),
                    unit="s",
                    steps=SLOW,
                    none="not told",
                ),
                number(
                    "Tokens written",
                    "Tokens per second that models give, together.",
                    Query(f'sum(rate(llm_tokens_total{{{OF}, type="output"}}[$__rate_interval]))', "output"),
                    unit="ops",
                    decimals=0,
                ),
                number(
                    "Tokens of the time shown",
                    "Tokens read and written in the time that is shown: what is paid for, where it is paid by token.",
                    Query(f"sum by (type) (increase(llm_tokens_total{{{OF}}}[$__range]))", "{{type}}", now=True),
                    unit="short",
                    line=False,
                ),
            ),
        ),
        Row(
            "Calls",
            (
                graph(
                    "Calls by model",
                    "Calls per second. A model that stops being called has no work, or none that reaches it.",
                    Query(CALLS, "{{model}}"),
                    unit="reqps",
                    stacked=True,
                ),
                graph(
                    "Failed calls",
                    "Share of calls that failed, by model and provider.",
                    Query(
                        share(
                            f'llm_calls_total{{{OF}, status="error"}}', f"llm_calls_total{{{OF}}}", "model, provider"
                        ),
                        "{{model}} {{provider}}",
                    ),
                    unit="percentunit",
                    limits=ERRORS,
                ),
                graph(
                    "Duration by model",
                    "Half, 95 and 99 of 100 calls took no longer.",
                    *quantiles("llm_call_duration_seconds", OF, "model"),
                    unit="s",
                    size=(12, 9),
                ),
                heat(
                    "Duration over time",
                    "How durations are spread: the darker, the more calls. A gap below the band is what loading a "
                    "model costs.",
                    "llm_call_duration_seconds",
                    OF,
                    size=(12, 9),
                ),
                graph(
                    "Time to the first token",
                    "When this rises and the rest does not, calls wait: for a place, or for the model to be loaded.",
                    *quantiles("llm_time_to_first_token_seconds", OF, "model"),
                    unit="s",
                    limits=SLOW,
                ),
                graph(
                    "Calls by status",
                    "Calls per second, well and failed.",
                    Query(f"sum by (status) (rate(llm_calls_total{{{OF}}}[$__rate_interval]))", "{{status}}"),
                    unit="reqps",
                    stacked=True,
                    states=("ok", "error"),
                ),
            ),
        ),
        Row(
            "Tokens",
            (
                graph(
                    "Tokens read by model",
                    "Per second, by model. Prompts that grow cost time and money.",
                    Query(_tokens("input"), "{{model}}"),
                    unit="ops",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Tokens written by model",
                    "Per second, by model.",
                    Query(_tokens("output"), "{{model}}"),
                    unit="ops",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Tokens of a call",
                    "Tokens read and written per call, on average.",
                    Query(f"{_tokens('input')} / {CALLS}", "{{model}} read"),
                    Query(f"{_tokens('output')} / {CALLS}", "{{model}} written"),
                    unit="short",
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Backends",
            (
                timeline(
                    "Backends up and down",
                    "Model backends that Watchkeeper probes. Red: it does not answer, or its small completion failed.",
                    Query(f"probe_success{{{BACKENDS}}}", "{{probe}}"),
                    size=(12, 6),
                ),
                bars(
                    "Memory of loaded models",
                    "What each loaded model holds. What is not on the GPU is computed by the processor, slowly.",
                    Query("llm_backend_model_vram_bytes", "{{probe}} {{model}} GPU", now=True),
                    Query("llm_backend_model_offloaded_bytes", "{{probe}} {{model}} processor", now=True),
                    unit="bytes",
                    size=(12, 6),
                ),
                graph(
                    "First token of the small completion",
                    "As Watchkeeper measures it itself. Above 10 s the rule LlmBackendSlow fires.",
                    Query("llm_backend_time_to_first_token_seconds", "{{probe}}"),
                    unit="s",
                    limits=SLOW,
                    size=(8, 8),
                ),
                graph(
                    "Tokens per second of the small completion",
                    "How fast the backend writes. A fall without more calls: another program uses its GPU.",
                    Query("llm_backend_tokens_per_second", "{{probe}}"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Small completions that failed or were empty",
                    "Within an hour. A backend that answers with nothing is down, whatever it says.",
                    Query("increase(llm_backend_completions_failed_total[1h])", "{{probe}} failed"),
                    Query("increase(llm_backend_empty_answers_total[1h])", "{{probe}} empty"),
                    unit="short",
                    size=(8, 8),
                ),
                table(
                    "Backends",
                    "Every probed backend with its models.",
                    Column("latency", f"max by (probe, kind) (probe_duration_seconds{{{BACKENDS}}})", "s"),
                    Column("models", "max by (probe, kind) (llm_backend_models)"),
                    Column("loaded", "max by (probe, kind) (llm_backend_models_loaded)"),
                    labels={"probe": "backend", "kind": "kind"},
                    size=(24, 6),
                ),
            ),
        ),
    ),
)
