"""The shipped rules say what the five documents say, and say it completely."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((ROOT / "rules/pipeline.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
CHECKS = {
    "active_jobs",
    "collectors_down",
    "dependencies",
    "disk_use",
    "llm_backends",
    "oldest_pending_tasks",
    "oldest_processing_tasks",
    "oom_kills",
    "queue_heads",
    "queues",
    "recent_changes",
    "recent_errors",
    "recent_exits",
    "recent_failures",
    "stuck_tasks",
    "top_processes_by_memory",
    "workers",
}
DURATION = re.compile(r"\d+[smhd]")

# The documents' thresholds: which rule holds each, what it looks at, and the comparison in the document's unit.
THRESHOLDS = [
    # 000, Phase 1 Monitoring Guide
    ("000", "QueueBacklog", 'queue_depth{state="pending"}', "> 100", "warning"),
    ("000", "QueuePendingAboveTarget", 'queue_depth{state="pending"}', ">= 50", "info"),
    ("000", "QueueProcessingAboveTarget", 'queue_depth{state="processing"}', ">= 5", "info"),
    ("000", "CompletionRateLow", "queue_completion_ratio * 100", "< 90", "warning"),
    ("000", "WorkerMemoryHigh", "worker_memory_bytes / 1024 / 1024 / 1024", "> 4.5", "warning"),
    ("000", "ProcessMemoryHigh", "process_resident_memory_bytes", "> 4.5", "warning"),
    ("000", "WorkerMemoryAboveTarget", "worker_memory_bytes / 1024 / 1024 / 1024", ">= 4", "info"),
    ("000", "TotalMemoryHigh", "process_group_resident_memory_bytes", "> 12", "warning"),
    ("000", "TotalMemoryAboveScriptLimit", "process_group_resident_memory_bytes", "> 4096", "info"),
    ("000", "WorkerCpuHigh", "worker_cpu_ratio * 100", "> 90", "warning"),
    ("000", "ProcessCpuHigh", "process_cpu_ratio", "> 90", "warning"),
    ("000", "WorkerCpuAboveTarget", "worker_cpu_ratio * 100", ">= 80", "info"),
    ("000", "TotalCpuAboveScriptLimit", "process_group_cpu_ratio", "> 90", "info"),
    ("000", "TooManyActiveJobs", "sum(jobs_active)", "> 10", "warning"),
    ("000", "ActiveJobsAboveTarget", "sum(jobs_active)", "> 5", "info"),
    ("000", "JobTooLong", "job_active_max_age_seconds / 60", "> 10", "warning"),
    ("000", "JobDurationAboveTarget", "job_active_max_age_seconds / 60", ">= 5", "info"),
    ("000", "TaskTooLongInProcessing", 'queue_oldest_age_seconds{state="processing"} / 60', "> 10", "warning"),
    ("000", "WorkerRestartsOften", "worker_uptime_seconds", "< 3600", "warning"),
    ("000", "WorkerUptimeBelowTarget", "worker_uptime_seconds", "< 86400", "info"),
    ("000", "WorkersCrash", "worker_crashes_total[1h]", "> 1", "error"),
    ("000", "WorkerCrashedToday", "worker_crashes_total[24h]", "> 0", "info"),
    # 001, Task 11: Monitoring Dashboard
    ("001", "QueueBacklog", 'queue_depth{state="pending"}', "> 100", "warning"),
    ("001", "WorkerOffline", "worker_heartbeat_age_seconds / 60", "> 5", "error"),
    ("001", "TaskErrorRateHigh", "jobs_total", "> 10", "warning"),
    ("001", "WorkerCpuHigh", "worker_cpu_ratio * 100", "> 90", "warning"),
    ("001", "HostCpuHigh", "host_cpu_usage_ratio * 100", "> 90", "warning"),
    ("001", "WorkerMemoryShareHigh", "worker_memory_ratio * 100", "> 90", "error"),
    ("001", "HostMemoryHigh", "host_memory_usage_ratio * 100", "> 90", "error"),
    ("001", "WorkerGpuHigh", "worker_gpu_ratio * 100", "> 95", "warning"),
    ("001", "GpuHigh", "gpu_utilization_ratio * 100", "> 95", "warning"),
    # 002, Task 13: Plan Monitoring Implementation
    ("002", "ApiErrorRateHigh", "http_requests_total", "> 5", "critical"),
    ("002", "ApiErrorRateIncreased", "http_requests_total", ">= 1", "warning"),
    ("002", "ApiErrorRateIncreased", "http_requests_total", "<= 5", "warning"),
    ("002", "QueueBacklog", 'queue_depth{state="pending"}', "> 100", "warning"),
    ("002", "RedisDown", "collector_up", "== 0", "critical"),
    ("002", "DatabaseDown", "collector_up", "== 0", "critical"),
    ("002", "LlmBackendDown", "collector_up", "== 0", "critical"),
    ("002", "StorageDown", "collector_up", "== 0", "critical"),
    ("002", "ServiceDown", "collector_up", "== 0", "critical"),
    ("002", "NoWorkerOnline", "workers{", "> 0", "critical"),
    ("002", "HostMemoryExhausted", "host_memory_usage_ratio", "> 97", "critical"),
    ("002", "HostCpuExhausted", "host_cpu_usage_ratio", "> 98", "critical"),
    ("002", "DiskFull", "host_filesystem_usage_ratio", "> 95", "critical"),
    ("002", "DiskAlmostFull", "host_filesystem_usage_ratio", "> 90", "warning"),
    ("002", "NewProcesses", "process_group_starts_total", "> 0", "info"),
    # 003, Monitoring Implementation
    ("003", "HostCpuHigh", "host_cpu_usage_ratio * 100", "> 90", "warning"),
    ("003", "HostMemoryHigh", "host_memory_usage_ratio * 100", "> 90", "error"),
    ("003", "QueueLong", 'queue_depth{state="pending"}', "> 10", "info"),
    # 004, Phase 4: Memory Usage Monitoring
    ("004", "StageMemoryHigh", "stage_memory_peak_bytes / 1024 / 1024", "> 2400", "warning"),
    ("004", "StageMemoryCritical", "stage_memory_peak_bytes / 1024 / 1024", "> 2640", "critical"),
    ("004", "MemoryEarlyWarning", "host_memory_usage_ratio * 100", "> 80", "warning"),
    ("004", "WorkerMemoryEarlyWarning", "worker_memory_ratio * 100", "> 80", "warning"),
]


@pytest.mark.parametrize(("seed", "alert", "subject", "comparison", "severity"), THRESHOLDS)
def test_a_threshold_of_the_documents_is_held_by_its_rule(
    seed: str, alert: str, subject: str, comparison: str, severity: str
) -> None:
    rule = RULES[alert]
    assert subject in rule["expr"]
    # The number must end there: "> 10" is not "> 100".
    assert re.search(re.escape(comparison) + r"(?![\d.])", rule["expr"])
    assert rule["labels"]["severity"] == severity
    assert seed in rule["annotations"]["seed"]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_rule_says_what_it_is_about(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"info", "warning", "error", "critical"}
    assert set(rule["annotations"]) == {"seed", "summary", "description", "runbook_url", "watchkeeper_checks"}
    assert re.match(r"00[0-4] \S", rule["annotations"]["seed"])
    assert rule["annotations"]["summary"] and rule["annotations"]["description"]
    assert all(DURATION.fullmatch(rule[key]) for key in ("for", "keep_firing_for") if key in rule)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_rule_names_known_checks_and_a_page_that_exists(rule: dict[str, Any]) -> None:
    checks = rule["annotations"]["watchkeeper_checks"].split(", ")
    assert checks and set(checks) <= CHECKS
    page = rule["annotations"]["runbook_url"]
    assert page.startswith("/docs/runbooks/")
    text = (ROOT / page.lstrip("/")).read_text(encoding="utf-8")
    assert f"`{rule['alert']}`" in text, "the page names the alerts that lead to it"


def links(page: Path) -> set[Path]:
    """The pages of the same folder that a page links to."""
    return {page.parent / name for name in re.findall(r"\]\((\w[\w-]*\.md)\)", page.read_text(encoding="utf-8"))}


def test_an_alert_leads_to_the_checklists_and_in_the_end_to_every_page() -> None:
    pages = {ROOT / rule["annotations"]["runbook_url"].lstrip("/") for rule in RULES.values()}
    folder = ROOT / "docs/runbooks"
    for page in pages:
        assert {folder / "daily-checklist.md", folder / "weekly-review.md"} <= links(page), page
    reached: set[Path] = set()
    while pages:
        reached |= pages
        pages = {link for page in pages for link in links(page)} - reached
    assert reached == set(folder.glob("*.md"))


def test_a_service_that_answers_with_a_bad_certificate_is_not_said_to_be_silent() -> None:
    annotations = RULES["ServiceDown"]["annotations"]
    assert "does not answer" not in annotations["summary"]
    assert "certificate" in annotations["description"] and "not answer" in annotations["description"]


def test_an_alert_about_a_queue_names_it() -> None:
    for name, rule in RULES.items():
        if "queue_" in rule["expr"]:
            assert "{{ $labels.queue }}" in rule["annotations"]["summary"], name


def test_names_are_not_used_twice() -> None:
    text = (ROOT / "rules/pipeline.yml").read_text(encoding="utf-8")
    assert len(RULES) == len(re.findall(r"^\s*- alert:", text, flags=re.MULTILINE))


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.y*ml")), ids=lambda path: path.name)
def test_promtool_of_prometheus_takes_every_shipped_file_of_rules(path: Path) -> None:
    rules = sum(len(group["rules"]) for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"])
    told = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert rules > 0 and f"SUCCESS: {rules} rules found" in told.stdout
