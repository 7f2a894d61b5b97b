//! Paged lists.

use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items of the page.
    pub results: Vec<T>,
    /// The `?cursor=` of the next page; `null` when this is the last one.
    pub next: Option<String>,
}

/// Pages of different items are different schemas, so each is named after its items.
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
                ArrayBuilder::new().items(Ref::from_schema_name(T::name())).description(Some("The items of the page."));
            let next = ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .description(Some("The `?cursor=` of the next page; `null` when this is the last one."));
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
