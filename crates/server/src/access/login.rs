//! Logging in: in constant time, a limited number of times, and never unnoticed.

use std::net::IpAddr;

use model::Timestamp;
use state::{NewSession, Outcome, User};

use super::record::Action;
use crate::context::App;
use crate::problem::{Kind, Problem};

impl App {
    /// The user of a name and a password. Failures are counted for the address, and for the name at
    /// the address: nobody can lock somebody else out from elsewhere.
    pub(crate) async fn log_in(&self, name: &str, password: &str, address: IpAddr) -> Result<User, Problem> {
        let from = neighbourhood(address);
        let subjects = [from.clone(), format!("{from} {name}")];
        let attempts = self.context.state.attempts();
        // One after the other: attempts at the same time must not slip past the count.
        let _turn = self.login.lock().await;
        for subject in &subjects {
            if let Some(wait) = attempts.wait(subject, Timestamp::now()).await? {
                tracing::warn!(%address, "a login was refused: too many failures");
                return Err(Problem::new(
                    Kind::TooManyLogins,
                    "Wait as long as the header Retry-After says, then try again.",
                )
                .retry_after(wait));
            }
        }
        let user = self.context.state.users().verify(name, password).await?;
        let Some(user) = user else {
            for subject in &subjects {
                attempts.failed(subject, Timestamp::now()).await?;
            }
            self.record_of(&shown(name), address, Action::on("login", "password"), Outcome::Denied).await?;
            return Err(Problem::new(
                Kind::WrongLogin,
                "Check the name and the password; `watchkeeper user passwd NAME` sets another.",
            ));
        };
        for subject in &subjects {
            attempts.succeeded(subject).await?;
        }
        self.record_of(&user.name, address, Action::on("login", "password"), Outcome::Ok).await?;
        Ok(user)
    }

    /// The user of a one-time link.
    pub(crate) async fn log_in_by_link(&self, token: &str, address: IpAddr) -> Result<User, Problem> {
        match self.context.state.links().redeem(token, Timestamp::now()).await? {
            Some(user) => {
                self.record_of(&user.name, address, Action::on("login", "link"), Outcome::Ok).await?;
                Ok(user)
            }
            None => {
                self.record_of("unknown", address, Action::on("login", "link"), Outcome::Denied).await?;
                Err(Problem::new(
                    Kind::WrongLogin,
                    "The link was used already or is too old; log in with name and password at `/`.",
                ))
            }
        }
    }

    /// Begins a session.
    pub(crate) async fn begin_session(&self, user: &User, address: IpAddr) -> Result<NewSession, Problem> {
        Ok(self
            .context
            .state
            .sessions()
            .create(&user.id, Some(&address.to_string()), Timestamp::now())
            .await?)
    }
}

/// One customer of a provider has a whole /64 of IPv6 addresses.
fn neighbourhood(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// What somebody typed as a name may be a password, or anything: it is cut and shown plainly.
fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(64).collect()
}
