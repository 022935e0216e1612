// What the command palette offers: pages, what can be set, and what the pages are about.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { activeAlertsQuery } from "../alerts/queries";
import { AREAS } from "../app/areas";
import { useDensity } from "../app/density";
import { useTheme } from "../app/theme";
import { termOf } from "../search/terms";
import { hostsQuery } from "../hosts/queries";
import { lastOf, RANGES, relativeName } from "../time/range";
import { useSetTimeRange, useTimeRange } from "../time/useTimeRange";
import { useZone, zoneName } from "../time/zone";
import { traceIdOf } from "../traces/address";
import { serviceMapQuery } from "../traces/queries";

export interface Choice {
  readonly id: string;
  readonly name: string;
  readonly about?: string;
  readonly icon?: string;
  readonly run: () => void;
}

export interface ChoiceGroup {
  readonly name: string;
  readonly choices: readonly Choice[];
}

/** What is offered for what has been typed. */
export function useChoices(text: string): readonly ChoiceGroup[] {
  const pages = usePages();
  const alerts = useAlerts();
  const services = useServices();
  const trace = useTrace(text);
  const settings = useSettings();
  const hosts = useHosts();
  const all = [trace, pages, alerts, services, hosts, ...(text.trim() === "" ? [] : [settings])];
  return all.filter(({ choices }) => choices.length > 0);
}

function usePages(): ChoiceGroup {
  const navigate = useNavigate();
  const choices = AREAS.map((area) => ({
    id: `page ${area.name}`,
    name: area.name,
    about: area.about,
    icon: area.icon,
    run: () => void navigate({ to: area.to }),
  }));
  return { name: "Pages", choices };
}

function useAlerts(): ChoiceGroup {
  const navigate = useNavigate();
  const alerts = useQuery(activeAlertsQuery).data?.items ?? [];
  const choices = alerts.slice(0, 20).map((alert) => ({
    id: `alert ${alert.id}`,
    name: alert.annotations.summary ?? alert.rule,
    about: `${alert.severity} alert, ${alert.state}`,
    run: () => void navigate({ to: "/alerts/$id", params: { id: alert.id } }),
  }));
  return { name: "Alerts", choices };
}

function useServices(): ChoiceGroup {
  const navigate = useNavigate();
  const services = useQuery(serviceMapQuery(useTimeRange())).data?.nodes ?? [];
  const choices = services.slice(0, 100).map(({ name }) => ({
    id: `service ${name}`,
    name,
    about: "its traces",
    run: () => void navigate({ to: "/traces", search: { q: termOf("service", [name]) } }),
  }));
  return { name: "Services", choices };
}

/** A trace, where its id was typed. */
function useTrace(text: string): ChoiceGroup {
  const navigate = useNavigate();
  const id = traceIdOf(text);
  const choices = id
    ? [
        {
          id: `trace ${id}`,
          name: id,
          about: "trace",
          run: () => void navigate({ to: "/traces/$id", params: { id } }),
        },
      ]
    : [];
  return { name: "Traces", choices };
}

function useHosts(): ChoiceGroup {
  const navigate = useNavigate();
  const hosts = useQuery(hostsQuery).data?.items ?? [];
  const choices = hosts.slice(0, 50).map(({ host, gpus }) => ({
    id: `host ${host}`,
    name: host,
    about: gpus.length > 0 ? "host with GPUs" : "host",
    run: () => void navigate({ to: "/hosts/$name", params: { name: host } }),
  }));
  return { name: "Hosts", choices };
}

function useSettings(): ChoiceGroup {
  const [theme, chooseTheme] = useTheme();
  const [density, chooseDensity] = useDensity();
  const [zone, chooseZone] = useZone();
  const go = useSetTimeRange();
  const otherTheme = theme === "dark" ? "light" : "dark";
  const otherDensity = density === "compact" ? "comfortable" : "compact";
  const otherZone = zone === "utc" ? "local" : "utc";
  const choices = [
    { id: "set theme", name: `Use the ${otherTheme} theme`, run: () => chooseTheme(otherTheme) },
    { id: "set density", name: `Make it ${otherDensity}`, run: () => chooseDensity(otherDensity) },
    { id: "set zone", name: `Show times in ${zoneName(otherZone)}`, run: () => chooseZone(otherZone) },
    ...RANGES.map((duration) => ({
      id: `set range ${duration}`,
      name: `Show the ${relativeName(lastOf(duration))}`,
      about: duration,
      run: () => go(lastOf(duration)),
    })),
  ];
  return { name: "Settings", choices };
}
