import { useEffect, useRef, useState } from "react";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly className?: string;
}

/** How long nothing has to be typed until it is searched for, in milliseconds. */
const PAUSE = 300;

/** A field to search by: what is typed is told after a short pause, or at once by Enter. */
export function SearchField({ label, value, onChange, className = "w-64 max-sm:w-full" }: Props) {
  const [text, write] = useState(value);
  const told = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // The address may change by other means, as by going back.
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    write(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (next: string) => {
    clearTimeout(timer.current);
    told.current = next;
    onChange(next);
  };
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={({ target }) => {
        write(target.value);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => tell(target.value), PAUSE);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") tell(text);
      }}
      className={`h-8 rounded-md border border-line-strong bg-surface px-2.5 placeholder:text-muted ${className}`}
    />
  );
}
