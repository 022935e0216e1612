import { Dialog } from "../components/Dialog";
import { AREAS } from "./areas";

const GENERAL: readonly (readonly [string, string])[] = [
  ["Ctrl K or /", "go to a page, queue, worker, job, document or alert"],
  ["t", "choose a time range"],
  ["[ and ]", "the time before, the time after"],
  ["p", "hold the time that is shown, and go live again"],
  ["?", "this sheet"],
  ["Escape", "close what is open"],
  ["Tab, Enter, arrows", "reach and use everything on a page"],
];

/** Which keys do what. */
export function HelpSheet({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog label="Keys and help" onClose={onClose} className="w-[560px] max-w-[calc(100vw-16px)]">
      <div className="grid gap-4 p-5">
        <h2 className="font-semibold text-base">Keys</h2>
        <Keys rows={GENERAL} />
        <h3 className="font-semibold text-[13px]">Pages</h3>
        <Keys rows={AREAS.map(({ key, name, about }) => [`g ${key}`, `${name}: ${about}`] as const)} />
        <p className="text-muted">
          On a chart, drag over a time to zoom into it; the browser’s own Back leads out again. Every view’s
          address holds all of its state: copy it to share what you see.
        </p>
      </div>
    </Dialog>
  );
}

function Keys({ rows }: { readonly rows: readonly (readonly [string, string])[] }) {
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1.5">
      {rows.map(([keys, does]) => (
        <div key={keys} className="contents">
          <dt>
            <kbd className="rounded border border-line-strong bg-raised px-1.5 py-0.5 font-mono text-xs">
              {keys}
            </kbd>
          </dt>
          <dd className="text-muted">{does}</dd>
        </div>
      ))}
    </dl>
  );
}
