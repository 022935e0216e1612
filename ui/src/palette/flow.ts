// What the command palette offers of the pipeline: its queues, its workers and its documents.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { get } from "../api/client";
import type { Job, List } from "../api/types";
import { count } from "../format/format";
import { queuesQuery } from "../queues/queries";
import { workersQuery } from "../workers/queries";
import type { ChoiceGroup } from "./choices";

/** The most of each that are offered. */
const MOST = 200;

/** A document is looked for from so many characters on. */
const ENOUGH = 3;
/** One word with a digit in it. */
const LOOKS_LIKE_ID = /^(?=.*\d)\S+$/;
/** How long nothing has to be typed until it is, in milliseconds. */
const PAUSE = 250;

export function useQueues(): ChoiceGroup {
  const navigate = useNavigate();
  const queues = useQuery(queuesQuery).data?.items ?? [];
  const choices = queues.slice(0, MOST).map(({ queue, depth }) => ({
    id: `queue ${queue}`,
    name: queue,
    about: `queue, ${count(depth.pending ?? 0)} waiting`,
    run: () => void navigate({ to: "/queues/$name", params: { name: queue } }),
  }));
  return { name: "Queues", choices };
}

export function useWorkers(): ChoiceGroup {
  const navigate = useNavigate();
  const workers = useQuery(workersQuery).data?.items ?? [];
  const choices = workers.slice(0, MOST).map(({ worker_id: id, status }) => ({
    id: `worker ${id}`,
    name: id,
    about: `worker, ${status}`,
    run: () => void navigate({ to: "/workers/$id", params: { id } }),
  }));
  return { name: "Workers", choices };
}

/** Documents of jobs in memory whose ids have the text in them, and a way to those that are only stored. */
export function useDocuments(text: string): ChoiceGroup {
  const navigate = useNavigate();
  const q = useSettled(text.trim());
  const isEnough = q.length >= ENOUGH;
  const jobs = useQuery({
    queryKey: ["palette", "documents", q],
    queryFn: ({ signal }) =>
      get<List<Job>>(`/api/v1/jobs?${new URLSearchParams({ q, limit: "50" })}`, signal),
    enabled: isEnough,
    placeholderData: keepPreviousData,
  });
  if (!isEnough) return { name: "Documents", choices: [] };
  const ids = new Set(jobs.data?.items.flatMap(({ document_id: id }) => (id?.includes(q) ? id : [])));
  const found = [...ids].slice(0, 10).map((id) => ({
    id: `document ${id}`,
    name: id,
    about: "document",
    run: () => void navigate({ to: "/documents/$id", params: { id } }),
  }));
  // Other words are rather meant for pages and alerts, which are not to stand behind this.
  if (!LOOKS_LIKE_ID.test(q)) return { name: "Documents", choices: found };
  const search = {
    id: `document search ${q}`,
    name: `Look for the document ${q}`,
    about: "in all that is stored",
    run: () => void navigate({ to: "/documents", search: { q } }),
  };
  return { name: "Documents", choices: [...found, search] };
}

/** A text once it has not changed for a while. */
function useSettled(text: string): string {
  const [settled, settle] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => settle(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
