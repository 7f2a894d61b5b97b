//! The security events that this process has recorded.

use crate::store::events::{EventKind, recorded};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

/// Reads the counts from where events are inserted.
#[derive(Debug)]
pub(super) struct Events;

impl Collector for Events {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let help = "Security events recorded by their kind";
        let mut family = encoder.encode_descriptor("events", help, None, MetricType::Counter)?;
        for kind in EventKind::ALL {
            let labels = [("kind", kind.as_str())];
            ConstCounter::new(recorded(kind)).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
