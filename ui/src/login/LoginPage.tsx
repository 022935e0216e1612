import { getRouteApi, useRouter } from "@tanstack/react-router";
import { type FormEvent, useId } from "react";
import { useLogin } from "../api/session";
import { Button } from "../components/Button";
import { Logo } from "../components/Logo";

const route = getRouteApi("/login");

/** The form that lets people in. */
export function LoginPage() {
  const search = route.useSearch();
  const router = useRouter();
  const login = useLogin();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const credentials = { username: String(form.get("username")), password: String(form.get("password")) };
    login.mutate(credentials, {
      onSuccess: () =>
        void router.navigate({ href: search.next ?? "/", replace: true, reloadDocument: true }),
    });
  };
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-12">
      <div className="grid w-full max-w-[360px] gap-6">
        <div className="grid justify-items-center gap-3 text-center">
          <Logo size={44} />
          <h1 className="font-semibold text-xl tracking-tight">Log in to Watchkeeper</h1>
        </div>
        {search.token !== undefined && (
          <p role="status" className="rounded-lg bg-warn-soft px-3 py-2 text-warn">
            This link has been used or has expired. A link logs in once; log in with your password instead.
          </p>
        )}
        <form
          onSubmit={submit}
          className="grid gap-4 rounded-xl border border-line bg-surface p-5 shadow-panel"
        >
          <Field label="Name" name="username" type="text" autoComplete="username" />
          <Field label="Password" name="password" type="password" autoComplete="current-password" />
          {login.error && (
            <p role="alert" className="text-bad">
              {login.error.message}
            </p>
          )}
          <Button type="submit" primary disabled={login.isPending} className="h-9">
            {login.isPending ? "Logging in …" : "Log in"}
          </Button>
        </form>
        <p className="text-center text-muted text-xs">
          The first start prints a password for the user admin, and a link that logs in once. Another user is
          made by <code>watchkeeper user add</code>.
        </p>
      </div>
    </main>
  );
}

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly type: "text" | "password";
  readonly autoComplete: string;
}

function Field({ label, ...input }: FieldProps) {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium text-[13px]">
        {label}
      </label>
      <input
        id={id}
        required
        className="h-9 rounded-md border border-line-strong bg-canvas px-3 outline-offset-0"
        {...input}
      />
    </div>
  );
}
