//! Where notifications lead: to the page that opens an alert, and to runbooks.
//!
//! The addresses are those that `ui/src/router.tsx` and the server's routes know. Who follows a link and is
//! not logged in is led to the login first, and from there to where the link leads.

/// Links to this Watchkeeper, under the address where people reach it, if that is known.
#[derive(Clone, Debug)]
pub(super) struct Links(Option<String>);

impl Links {
    pub(super) fn new(external_url: Option<&str>) -> Self {
        Self(external_url.map(|url| url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty()))
    }

    /// The address where people reach it.
    pub(super) fn base(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The page with this alert open.
    pub(super) fn alert(&self, id: &str) -> Option<String> {
        self.to(&format!("/?alert={id}"))
    }

    /// The page with all alerts.
    pub(super) fn all(&self) -> Option<String> {
        self.to("/?alerts=all")
    }

    /// What an annotation names: a path is one on this server. `None` where its address is not known.
    pub(super) fn page(&self, named: &str) -> Option<String> {
        if named.starts_with('/') { self.to(named) } else { Some(named.to_owned()) }
    }

    fn to(&self, path: &str) -> Option<String> {
        Some(format!("{}{path}", self.base()?))
    }
}
