//! Lists that come a page at a time.

use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub results: Vec<T>,
    /// What `?cursor=` must say for the page after this one; `null` when there is none.
    pub next: Option<String>,
}

/// Pages of different things are different types, so each has the name of what is on it.
#[cfg(feature = "openapi")]
mod schema {
    use super::Page;
    use std::borrow::Cow;
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
    use utoipa::openapi::{Ref, RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    impl<T: ToSchema> PartialSchema for Page<T> {
        fn schema() -> RefOr<Schema> {
            let results =
                ArrayBuilder::new().items(Ref::from_schema_name(T::name())).description(Some("What is on it."));
            let next = ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .description(Some("What `?cursor=` must say for the page after this one; `null` when there is none."));
            let page = ObjectBuilder::new().property("results", results).property("next", next);
            page.required("results").description(Some("A page of a list.")).build().into()
        }
    }

    impl<T: ToSchema> ToSchema for Page<T> {
        fn name() -> Cow<'static, str> {
            format!("{}Page", T::name()).into()
        }

        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push((T::name().into_owned(), T::schema()));
            T::schemas(schemas);
        }
    }
}
