//! Turns the rows of the table of pages into routes.

use crate::components::{AdministratorsOnly, PageTitle, Shell, VisitorFrame, VisitorsOnly};
use crate::policy::{Audience, PageInfo};
use leptos::prelude::*;
use leptos::tachys::view::iterators::StaticVec;
use leptos_router::any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute};
use leptos_router::{MatchNestedRoutes, NestedRoute, PossibleRouteMatch};
use std::sync::Arc;

/// A path as the router compares it.
pub(super) type PathMatcher = Arc<dyn PossibleRouteMatch + Send + Sync>;

/// A page and its component.
pub(super) struct PageRoute {
    pub(super) page: PageInfo,
    pub(super) segments: PathMatcher,
    pub(super) component: fn() -> AnyView,
}

/// Declares the modules of the pages, and defines `PAGES`, which is passed to the layers below, and `routes`.
macro_rules! pages {
    ($([mod $file:ident; $component:ident, $path:tt, $title:literal, $audience:ident $(, $entry:literal)?],)+) => {
        $(mod $file;)+

        /// Every page.
        pub const PAGES: $crate::policy::Pages =
            $crate::policy::Pages(&[$(pages!(@page $path, $title, $audience $(, $entry)?)),+]);

        /// The routes of all pages.
        pub fn routes() -> impl leptos_router::MatchNestedRoutes + Clone + Send + 'static {
            table::routes(vec![$(table::PageRoute {
                page: pages!(@page $path, $title, $audience $(, $entry)?),
                segments: std::sync::Arc::new(leptos_router::path!($path)),
                component: || leptos::prelude::IntoAny::into_any($file::$component()),
            }),+])
        }
    };
    (@page $path:tt, $title:literal, $audience:ident $(, $entry:literal)?) => {
        $crate::policy::PageInfo {
            path: $path,
            title: $title,
            audience: $crate::policy::Audience::$audience,
            entry: pages!(@entry $($entry)?),
        }
    };
    (@entry) => { None };
    (@entry $entry:literal) => { Some($entry) };
}

/// The pages for users share a frame, which stays when one page follows another.
pub(super) fn routes(rows: Vec<PageRoute>) -> impl MatchNestedRoutes + Clone + Send + 'static {
    let (framed, free): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.page.audience.is_protected());
    let framed: Vec<_> = framed.into_iter().map(route).collect();
    let frame = NestedRoute::new((), Shell).child(StaticVec::from(framed)).into_any_nested_route();
    let all: Vec<_> = free.into_iter().map(route).chain([frame]).collect();
    StaticVec::from(all)
}

fn route(row: PageRoute) -> AnyNestedRoute {
    let PageRoute { page, segments, component } = row;
    NestedRoute::new(segments, move || show(page, component)).into_any_nested_route()
}

/// The page behind its guard, below its heading.
fn show(PageInfo { title, audience, .. }: PageInfo, children: fn() -> AnyView) -> AnyView {
    match audience {
        Audience::Visitors => view! {
            <VisitorsOnly>
                <VisitorFrame title=title>
                    {children()}
                </VisitorFrame>
            </VisitorsOnly>
        }
        .into_any(),
        Audience::Everybody | Audience::MailedLink => view! {
            <VisitorFrame title=title>
                {children()}
            </VisitorFrame>
        }
        .into_any(),
        Audience::Users => view! {
            <PageTitle text=title />
            {children()}
        }
        .into_any(),
        Audience::Administrators => view! {
            <AdministratorsOnly>
                <PageTitle text=title />
                {children()}
            </AdministratorsOnly>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use crate::pages::PAGES;
    use crate::policy::{Audience, SIGN_IN, START, accept_next};
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// The values that several pages share, with those pages.
    fn shared(of: impl Fn(usize) -> Option<&'static str>) -> Vec<(&'static str, Vec<&'static str>)> {
        let mut by_value = BTreeMap::<_, Vec<_>>::new();
        for (index, page) in PAGES.0.iter().enumerate() {
            if let Some(value) = of(index) {
                by_value.entry(value).or_default().push(page.path);
            }
        }
        by_value.into_iter().filter(|(_, pages)| pages.len() > 1).collect()
    }

    #[test]
    fn no_two_pages_share_a_path_a_heading_or_an_entry() {
        assert_eq!(shared(|index| Some(PAGES.0[index].path)), []);
        assert_eq!(shared(|index| Some(PAGES.0[index].title)), []);
        assert_eq!(shared(|index| PAGES.0[index].entry), []);
    }

    #[test]
    fn a_sign_in_leads_back_to_every_page_but_those_for_visitors() {
        for page in PAGES.0 {
            let leads_to = if page.audience == Audience::Visitors { START } else { page.path };
            assert_eq!(accept_next(page.path, PAGES), leads_to);
        }
    }

    #[test]
    fn visitors_can_sign_in_and_users_have_a_first_page() {
        let audience_of = |path| PAGES.0.iter().find(|page| page.path == path).map(|page| page.audience);
        assert_eq!(audience_of(SIGN_IN), Some(Audience::Visitors));
        assert_eq!(audience_of(START), Some(Audience::Users));
    }

    #[test]
    fn only_protected_pages_have_an_entry_in_the_navigation() {
        for page in PAGES.0 {
            assert!(page.entry.is_none() || page.audience.is_protected(), "{}", page.path);
        }
    }

    /// `scripts/headers` writes the rules; it reads the table in JavaScript.
    #[test]
    fn the_hosts_rules_name_every_page() {
        let rules: Vec<Value> = serde_json::from_str(include_str!("../../headers.json")).expect("a list");
        let named = rules.iter().filter(|rule| rule["value"] == "no-cache").filter_map(|rule| rule["path"].as_str());
        let wildcard = |path: &str| {
            let segment = |segment: &str| if segment.starts_with(':') { "*".to_owned() } else { segment.to_owned() };
            path.split('/').map(segment).collect::<Vec<_>>().join("/")
        };
        let pages = PAGES.0.iter().map(|page| wildcard(page.path));
        let wanted: Vec<_> = ["/index.html".to_owned()].into_iter().chain(pages).collect();
        assert_eq!(named.collect::<Vec<_>>(), wanted, "run scripts/headers");
    }
}
