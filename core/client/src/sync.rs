//! Driving the engine over the network: one sync is round trips until nothing is left.
//!
//! The files are open only while a request is made and while a response is applied, never while the network is waited for.

use crate::engine::{self, Fault, MAX_ROWS, Round};
use crate::error::{HandbookError, ServerFault};
use crate::handbook::SyncReport;
use crate::identity::Identity;
use crate::lifecycle::{Inner, wall};
use crate::network::UnderWay;
use crate::store::locked;
use crate::transport::Answer;

const SYNC: &str = "/v1/sync";

impl Inner {
    /// One sync: round trips until nothing is left.
    pub(crate) fn sync_once(&self, under_way: &UnderWay) -> Result<SyncReport, HandbookError> {
        let _one_at_a_time = locked(&self.syncing);
        drop(self.enter()?);
        let member = self.member()?;
        let (network, transport) = (self.network()?, self.transport()?);
        let mut round = Round::new(MAX_ROWS);
        loop {
            let request = round.next_request(&self.enter()?.writer())?;
            let Some(body) = request else { break };
            let (sending, signer) = (transport.clone(), member.signer.clone());
            let answer = network.wait_for(under_way, async move {
                sending.post_signed(&signer, SYNC, body).await
            });
            match answer {
                Ok(Answer::Message(bytes)) => self
                    .take_in(&mut round, &member.identity, &bytes)
                    .map_err(|fault| match fault {
                        Fault::Unreadable => transport.unexpected(ServerFault::Unreadable),
                        Fault::Truncated => transport.unexpected(ServerFault::Truncated),
                        Fault::Protocol => transport.unexpected(ServerFault::Protocol),
                        Fault::Store(error) => error,
                    })?,
                Ok(Answer::Problem(code, _)) if round.on_problem(code) => {}
                Ok(Answer::Problem(code, status)) => return Err(transport.refused(code, status)),
                Err(error) => {
                    self.set_offline(!matches!(error, HandbookError::Cancelled));
                    return Err(error);
                }
            }
            if round.broken {
                return Err(transport.unexpected(ServerFault::Protocol));
            }
        }
        Ok(round.report)
    }

    fn take_in(&self, round: &mut Round, me: &Identity, bytes: &[u8]) -> Result<(), Fault> {
        let pass = self.enter()?;
        let mut writer = pass.writer();
        let touched = round.on_response(&mut writer, me, bytes, wall())?;
        if touched.everything {
            self.watches.concern(engine::concern(&writer.db, Some(me))?);
        }
        if let Some(server) = round.server_time {
            self.learn_time(server);
        }
        drop(writer);
        self.set_offline(false);
        self.watches.committed(&touched);
        Ok(())
    }
}
