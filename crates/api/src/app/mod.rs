//! The wiring that production and tests share: features are assembled into a product, and a product is served.

mod background;
mod collisions;
mod feature;
mod product;
mod serving;

pub use collisions::Collision;
pub use feature::Feature;
pub use product::{App, Product, ServicesError};
pub use serving::ServerCapacity;
