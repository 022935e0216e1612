import { IconButton } from "../components/IconButton";
import { useTheme } from "./theme";

const MOON = "M20.500 14.500A8.500 8.500 0 0 1 9.500 3.500a8.500 8.500 0 1 0 11 11Z";
const SUN =
  "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2v2M12 20v2M4.900 4.900l1.400 1.400M17.700 17.700l1.400 1.400M2 12h2M20 12h2M4.900 19.100l1.400-1.400M17.700 6.300l1.400-1.400";

/** Changes between light and dark. */
export function ThemeButton() {
  const [theme, choose] = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <IconButton
      label={`Use the ${other} theme`}
      path={theme === "dark" ? SUN : MOON}
      onClick={() => choose(other)}
    />
  );
}
