import { TONE_FILL, type Tone } from "./tone";

/** A small mark in the colour of a state; the text beside it says the same in words. */
export function Dot({ tone, pulse = false }: { readonly tone: Tone; readonly pulse?: boolean }) {
  return (
    <span aria-hidden="true" className="relative grid size-2 shrink-0 place-items-center">
      {pulse && (
        <span className={`absolute size-2 animate-ping rounded-full opacity-40 ${TONE_FILL[tone]}`} />
      )}
      <span className={`size-2 rounded-full ${TONE_FILL[tone]}`} />
    </span>
  );
}
