import { useMemo, useState } from "react";
import { type Frame, type Part, partsOf } from "./traceback";

interface Props {
  readonly type?: string | null | undefined;
  readonly message?: string | null | undefined;
  readonly stack?: string | null | undefined;
}

/** What was thrown, and where: frames of the application stand out from those of its libraries. */
export function Traceback({ type, message, stack }: Props) {
  const [isRaw, showRaw] = useState(false);
  const parts = useMemo(() => partsOf(stack ?? ""), [stack]);
  if (!type && !message && !stack) return null;
  return (
    <section aria-label="Exception" className="min-w-0 rounded-lg border border-line bg-surface">
      <div className="flex items-start justify-between gap-3 px-3 py-2">
        <p className="min-w-0 wrap-anywhere">
          {type && <span className="font-medium text-bad">{type}</span>}
          {type && message && ": "}
          {message}
        </p>
        {parts.length > 0 && (
          <button
            type="button"
            aria-pressed={isRaw}
            onClick={() => showRaw(!isRaw)}
            className="min-h-6 shrink-0 text-muted text-xs underline-offset-2 hover:underline"
          >
            {isRaw ? "As frames" : "As text"}
          </button>
        )}
      </div>
      {stack && (isRaw || parts.length === 0) && (
        <pre className="max-h-96 overflow-auto whitespace-pre-wrap wrap-anywhere border-line border-t px-3 py-2 font-mono text-xs">
          {stack}
        </pre>
      )}
      {!isRaw &&
        parts.map((part, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: what was thrown does not move
          <Thrown key={place} part={part} />
        ))}
    </section>
  );
}

function Thrown({ part }: { readonly part: Part }) {
  return (
    <div className="border-line border-t px-3 py-2">
      {part.joint !== null && <p className="pb-1 text-muted text-xs">{part.joint}</p>}
      <ol className="grid gap-1">
        {part.frames.map((frame, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a function can call itself, and nothing moves
          <FrameLine key={place} frame={frame} />
        ))}
      </ol>
      {part.thrown !== "" && (
        <p className="whitespace-pre-wrap wrap-anywhere pt-1 font-mono text-bad text-xs">{part.thrown}</p>
      )}
    </div>
  );
}

function FrameLine({ frame }: { readonly frame: Frame }) {
  return (
    <li className={`font-mono text-xs ${frame.isLibrary ? "text-muted" : ""}`}>
      <p className="wrap-anywhere">
        <span className={frame.isLibrary ? "" : "font-semibold"}>{frame.name}</span>
        <span className="text-muted">
          {" "}
          {frame.file}
          {frame.line !== null && `:${frame.line}`}
        </span>
      </p>
      {frame.source !== null && <p className="whitespace-pre-wrap wrap-anywhere pl-4">{frame.source}</p>}
    </li>
  );
}
