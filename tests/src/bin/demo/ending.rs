//! The end: do all phones agree with the server? And, if asked, a server that stays.

use sotay_model::MeetingKey;
use sotay_tests::examiner::agree;
use sotay_tests::{Failure, fail};

use crate::cast::PHONES;
use crate::stage::Stage;

/// Compares every phone's database with the server's, record by record, and what the phones show with each other.
pub(crate) fn check(stage: &mut Stage, meeting: MeetingKey) -> Result<(), Failure> {
    stage.paper.scene("Do all phones agree with the server?")?;
    stage.paper.say(
        "Each phone's encrypted database is opened from outside with that phone's key, every record hashed anew and compared with \
         the server's, scope by scope: position, number, sum, and each record's bytes.",
    )?;
    for role in &PHONES {
        let phone = stage.phone(role.phone)?;
        let outbox = phone.handbook().outbox()?;
        if !outbox.unsent.is_empty() || !outbox.refused.is_empty() {
            fail!("{} has unsent or refused entries", role.phone);
        }
        let agreed = agree(phone, &stage.data())?;
        let records: u64 = agreed.iter().map(|scope| scope.sum.count).sum();
        let sum = agreed
            .iter()
            .fold(0_u128, |sum, scope| sum.wrapping_add(scope.sum.sum));
        let name = phone.handbook().home()?.member_name;
        stage.paper.holds(&format!(
            "{name:<18} {} scopes, {records:>3} records, sum {:08x}…  as on the server",
            agreed.len(),
            sum >> 96
        ))?;
    }
    let first = stage.handbook("secretary")?.meeting(meeting)?;
    for name in ["deputy", "first", "second", "third"] {
        let other = stage.handbook(name)?.meeting(meeting)?;
        if (&other.confirmed, other.card.starts_at, &other.agenda)
            != (&first.confirmed, first.card.starts_at, &first.agenda)
        {
            fail!("{name} shows another meeting than the secretary");
        }
    }
    stage
        .paper
        .holds("All five phones of the cell show the same meeting and the same confirmed figures.")
}

/// Leaves the server running until it is stopped.
pub(crate) fn keep(stage: &mut Stage) -> Result<(), Failure> {
    let (address, data) = (stage.server.address(), stage.data());
    let data = data.display();
    stage.paper.scene("The server stays")?;
    for line in [
        format!("It listens on https://{address}; its data: {data}"),
        format!("  curl --cacert {data}/root.pem https://{address}/healthz"),
        "One more phone for a member (codes c1-01 to c3-19, here the deputy):".into(),
        format!(
            "  cargo run -q -p sotay-server -- invite --data {data} --member c1-02 --host {address}"
        ),
        "How many phones there are:".into(),
        format!("  cargo run -q -p sotay-server -- status --data {data}"),
        format!("The phones' folders: {}", stage.folder().display()),
        "Enter stops it and deletes everything; Ctrl-C stops it and leaves the folder.".into(),
    ] {
        sotay_tests::server::say(&format!("   {line}"))?;
    }
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        // Without a terminal there is no Enter: stays until it is killed.
        loop {
            std::thread::park();
        }
    }
    Ok(())
}
