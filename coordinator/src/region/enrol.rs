//! Newcomers over the network.

use super::Region;
use crate::enrolment;
use koonti_proto::{EnrolAsk, EnrolmentRooms, Failure};

impl EnrolmentRooms for Region {
    async fn enroll(&self, ask: EnrolAsk) -> Result<String, Failure> {
        // One lock over look-up, entry and removal: a secret serves once.
        tokio::task::block_in_place(|| enrolment::take(&self.config, &self.authority, &mut self.inner().store, &ask))
    }
}
