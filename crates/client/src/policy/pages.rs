//! The attributes of the application's pages.

use auth_types::Role;

/// A page, as the table of pages describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageInfo {
    /// Its path. A segment such as `:id` matches any segment.
    pub path: &'static str,
    /// Its heading, which also names the document.
    pub title: &'static str,
    /// Who sees it.
    pub audience: Audience,
    /// Its entry in the navigation, if it has one.
    pub entry: Option<&'static str>,
}

/// Who sees a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// People who are not signed in; users are redirected.
    Visitors,
    /// Visitors and users.
    Everybody,
    /// Visitors and users who open a mailed link, whose fragment contains a token.
    MailedLink,
    /// Users. A visitor is asked to sign in first.
    Users,
    /// Users with the role `admin`. Others see "Page not found"; the API authorizes each request of the page as well.
    Administrators,
}

impl Audience {
    /// Whether the page requires a session.
    pub const fn is_protected(self) -> bool {
        matches!(self, Self::Users | Self::Administrators)
    }

    /// Whether a user with this role sees the page.
    pub const fn admits(self, role: Role) -> bool {
        match self {
            Self::Visitors => false,
            Self::Everybody | Self::MailedLink | Self::Users => true,
            Self::Administrators => matches!(role, Role::Admin),
        }
    }
}

/// Every page, in the order of the navigation. It is passed to the layers below `pages`, which must not import that module.
#[derive(Debug, Clone, Copy)]
pub struct Pages(pub &'static [PageInfo]);

impl Pages {
    /// The navigation of a user with this role: paths and names.
    pub fn entries(self, role: Role) -> impl Iterator<Item = (&'static str, &'static str)> {
        let admitted = self.0.iter().filter(move |page| page.audience.admits(role));
        admitted.filter_map(|page| Some((page.path, page.entry?)))
    }

    /// Whether only visitors see the page at `path`.
    pub fn is_for_visitors(self, path: &str) -> bool {
        self.0.iter().any(|page| page.audience == Audience::Visitors && page.path == path)
    }

    /// The path of a page that mailed links open, if `path` is one.
    pub fn mailed(self, path: &str) -> Option<&'static str> {
        let mut mailed = self.0.iter().filter(|page| page.audience == Audience::MailedLink);
        mailed.find(|page| page.path == path).map(|page| page.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn page(path: &'static str, audience: Audience, entry: Option<&'static str>) -> PageInfo {
        PageInfo { path, title: "", audience, entry }
    }

    const PAGES: Pages = Pages(&[
        page("/login", Audience::Visitors, Some("Never")),
        page("/notes", Audience::Users, Some("Notes")),
        page("/notes/:id", Audience::Users, None),
        page("/admin", Audience::Administrators, Some("Users")),
    ]);

    #[test]
    fn the_navigation_has_what_this_user_may_see() {
        assert_eq!(PAGES.entries(Role::User).collect::<Vec<_>>(), [("/notes", "Notes")]);
        assert_eq!(PAGES.entries(Role::Admin).collect::<Vec<_>>(), [("/notes", "Notes"), ("/admin", "Users")]);
    }

    #[test]
    fn a_page_for_administrators_asks_to_sign_in_and_admits_nobody_else() {
        assert!(Audience::Administrators.is_protected() && Audience::Users.is_protected());
        assert!(Audience::Administrators.admits(Role::Admin) && !Audience::Administrators.admits(Role::User));
    }
}
