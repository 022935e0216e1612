import { Tabs } from "radix-ui";
import type { ReactNode } from "react";

interface Props<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly tabs: readonly { readonly value: T; readonly text: string }[];
  readonly onChange: (value: T) => void;
  /** What the chosen tab shows. */
  readonly children: ReactNode;
}

const TRIGGER =
  "-mb-px shrink-0 border-transparent border-b-2 px-3 py-2 text-muted hover:text-ink data-[state=active]:border-ink data-[state=active]:font-medium data-[state=active]:text-ink";

/** The parts of a page, of which one is shown. Which one stands in the address; arrow keys move between them. */
export function PageTabs<T extends string>({ label, value, tabs, onChange, children }: Props<T>) {
  const choose = (text: string) => {
    const tab = tabs.find((tab) => tab.value === text);
    if (tab) onChange(tab.value);
  };
  return (
    // By hand: going through tabs by arrows would ask for all that they show.
    <Tabs.Root
      value={value}
      onValueChange={choose}
      activationMode="manual"
      className="grid grid-cols-1 gap-5"
    >
      <Tabs.List
        aria-label={label}
        className="flex overflow-x-auto overflow-y-hidden border-line border-b focus:outline-none"
      >
        {tabs.map(({ value, text }) => (
          <Tabs.Trigger key={value} value={value} className={TRIGGER}>
            {text}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      <Tabs.Content value={value} className="grid grid-cols-1 gap-5 focus-visible:outline-none">
        {children}
      </Tabs.Content>
    </Tabs.Root>
  );
}
