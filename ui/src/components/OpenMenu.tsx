import { DropdownMenu } from "radix-ui";
import type { MenuItem, MenuProps } from "./Menu";

const ITEM =
  "flex cursor-pointer items-center rounded px-2.5 py-1.5 outline-none data-[disabled]:opacity-50 data-[highlighted]:bg-raised data-[highlighted]:text-ink";

/** A menu that is open. */
export default function OpenMenu(props: MenuProps & { readonly onClose: () => void }) {
  const { label, face, className, items, onClose } = props;
  return (
    // Not modal: a modal one writes styles into the page, which the page's policy forbids.
    <DropdownMenu.Root modal={false} open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DropdownMenu.Trigger aria-label={label} className={className}>
        {face}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          className="z-20 min-w-44 rounded-lg border border-line bg-surface p-1 shadow-lg"
        >
          {items.map((item, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the items are fixed while it is open
            <Item key={place} item={item} />
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function Item({ item }: { readonly item: MenuItem }) {
  switch (item.kind) {
    case "do":
      return (
        <DropdownMenu.Item className={ITEM} disabled={item.disabled ?? false} onSelect={item.run}>
          {item.text}
        </DropdownMenu.Item>
      );
    case "go":
      return <DropdownMenu.Item asChild>{item.link({ className: ITEM, text: item.text })}</DropdownMenu.Item>;
    case "word":
      return (
        <DropdownMenu.Label className="px-2.5 py-1.5 text-muted text-xs">{item.text}</DropdownMenu.Label>
      );
    case "line":
      return <DropdownMenu.Separator className="my-1 h-px bg-line" />;
  }
}
