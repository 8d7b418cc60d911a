"""The generated Python module on the real library and a real server: the cheapest proof that what is exported can be called from elsewhere.

    tests/parts/python.sh

generates the module `sotay` and says by environment variables where the programs are (see tests/parts/common.sh).
"""

import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

import sotay
from sotay import HandbookError, InvitationFault, Query, Rejection, VaultAnswer

SCENARIOS = pathlib.Path(os.environ["SOTAY_SCENARIOS"])


class MemoryVault(sotay.KeyVault):
    """A key store that forgets when the process ends."""

    def __init__(self):
        self.root = None
        self.locked = False

    def root_key(self):
        if self.locked:
            return VaultAnswer.LOCKED_NOW()
        return VaultAnswer.EMPTY() if self.root is None else VaultAnswer.KEY(self.root)

    def store(self, root):
        self.root = root

    def destroy(self):
        self.root = None


class Server:
    """The commune of a scenario, as scenario-server makes it; it ends when its input is closed."""

    def __init__(self, scenario):
        self.process = subprocess.Popen(
            [os.environ["SOTAY_SCENARIO_SERVER"], SCENARIOS / scenario], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        announced = json.loads(self.process.stdout.readline())
        self.address, self.relay, self.names = announced["address"], announced["relay"], announced["names"]

    def behave(self, word):
        print(word, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline().strip() == word

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def notice(title, starts_in_minutes, ends_in_minutes):
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    minutes = datetime.timedelta(minutes=1)
    return sotay.NoticeForm(
        kind=sotay.MeetingKind.REGULAR(),
        title=title,
        starts_at=now + starts_in_minutes * minutes,
        ends_at=now + ends_in_minutes * minutes,
        place="Nhà văn hóa",
        mode=sotay.MeetingMode.IN_ROOM(),
        agenda=[],
        documents=[],
        guests=[],
        answer_by=None,
        absence_by=None,
    )


class Smoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("meeting.json")
        cls.addClassCleanup(cls.server.close)
        cls.secretary = cls.phone("secretary", cls.addClassCleanup)

    @classmethod
    def phone(cls, name, add_cleanup):
        """A handbook in a folder of its own, joined if it has a name."""
        folder = tempfile.mkdtemp()
        add_cleanup(shutil.rmtree, folder)
        handbook = sotay.Handbook.open(folder, MemoryVault())
        add_cleanup(handbook.shutdown)
        if name:
            joining = handbook.join(cls.server.names[f"invitation.{name}"], f"phone {name}")
            assert handbook.finish_joining() is None
            cls.server.behave(f"confirm {joining.digits}")
            assert handbook.finish_joining() == handbook.joined()
            handbook.sync()
        return handbook

    def test_a_member_joins_reads_answers_and_syncs(self):
        secretary, member = self.secretary, self.phone("a", self.addCleanup)
        self.assertEqual(member.home().member_name, "Lê Văn Ví Dụ")
        self.assertEqual(member.joined().member, self.server.names["member.vidu"])

        form = notice("Sinh hoạt thường kỳ", 2880, 2970)
        meeting = secretary.publish_notice(form, [])
        secretary.sync()
        member.sync()
        shown = member.meeting(meeting)
        self.assertEqual(shown.card.title, form.title)
        self.assertEqual(shown.card.starts_at, form.starts_at)

        member.respond(meeting, sotay.Choice.WILL_ATTEND(), shown.notice_version)
        self.assertTrue(member.meeting(meeting).card.my_answer.pending)
        self.assertEqual(member.outbox().unsent[0].intent, "Respond")
        self.assertEqual(member.sync().accepted, 1)
        self.assertFalse(member.meeting(meeting).card.my_answer.pending)

        secretary.sync()
        self.assertEqual(secretary.answers(meeting).will_attend, 1)

    def test_changes_are_reported_until_shutdown(self):
        deputy = self.phone("deputy", self.addCleanup)
        watch = deputy.watch(Query.HOME())
        self.assertEqual([change.watch for change in deputy.next_changes()], [watch])

        ended = []

        def wait():
            try:
                while True:
                    deputy.next_changes()
            except HandbookError.Cancelled:
                ended.append(True)

        waiting = threading.Thread(target=wait)
        waiting.start()
        deputy.shutdown()
        waiting.join(10)
        self.assertEqual(ended, [True])

    def test_an_invitation_with_a_mistake_says_which(self):
        with self.assertRaises(HandbookError.InvitationUnreadable) as raised:
            self.phone(None, self.addCleanup).join("https://example.org/", "phone")
        self.assertIsInstance(raised.exception.fault, InvitationFault.NOT_AN_INVITATION)

    def test_an_unknown_invitation_cannot_be_used(self):
        with self.assertRaises(HandbookError.InvitationUnusable):
            self.phone(None, self.addCleanup).join(self.server.names["invitation.unknown"], "phone")

    def test_an_end_before_the_start_is_refused_by_field(self):
        with self.assertRaises(HandbookError.Refused) as raised:
            self.secretary.publish_notice(notice("Sinh hoạt", 120, 60), [])
        why = raised.exception.why
        self.assertIsInstance(why, Rejection.INVALID)
        self.assertIsInstance(why.field, sotay.Field.ENDS_AT)
        self.assertIsInstance(why.why, sotay.Fault.END_BEFORE_START)

    def test_what_is_entered_without_a_network_is_kept_and_sent_later(self):
        member = self.phone("b", self.addCleanup)
        meeting = self.secretary.publish_notice(notice("Sinh hoạt chuyên đề", 4000, 4090), [])
        self.secretary.sync()
        member.sync()
        self.server.behave("stop")
        try:
            member.respond(meeting, sotay.Choice.UNDECIDED(), 1)
            with self.assertRaises(HandbookError.ServerUnreachable) as raised:
                member.sync()
            self.assertEqual(raised.exception.address, self.server.address)
            self.assertEqual(len(member.outbox().unsent), 1)
        finally:
            self.server.behave("start")
        self.assertEqual(member.sync().accepted, 1)

    def test_a_network_that_fails_in_one_direction_loses_and_doubles_no_answer(self):
        meeting = self.secretary.publish_notice(notice("Sinh hoạt đột xuất", 5000, 5090), [])
        self.secretary.sync()
        member = sotay.Handbook.open(self.folder(), MemoryVault())
        self.addCleanup(member.shutdown)
        self.addCleanup(self.server.behave, "relay restore")
        invitation = self.server.names["invitation.c"].replace(self.server.address, self.server.relay)
        digits = member.join(invitation, "phone c").digits
        self.server.behave(f"confirm {digits}")
        me = member.finish_joining().member
        member.sync()
        accepted = 0
        faults = ["relay lose-up", "relay lose-down", "relay cut-after 0", "relay cut-after 700", "relay cut", "relay lose-down"]
        for number, fault in enumerate(faults):
            choice = sotay.Choice.UNDECIDED() if number % 2 else sotay.Choice.WILL_ATTEND()
            member.respond(meeting, choice, 1)
            self.server.behave(fault)
            try:
                accepted += member.sync_for(500).accepted
            except (HandbookError.ServerUnreachable, HandbookError.ServerUnexpected):
                pass
            self.server.behave("relay restore")
            accepted += member.sync().accepted
            self.assertEqual(member.sync_state().pending, 0, fault)
            self.secretary.sync()
            answers = self.secretary.answers(meeting)
            self.assertEqual([line.answer.choice for line in answers.lines if line.member == me], [choice], fault)
            self.assertEqual(answers.will_attend, 1 - number % 2, fault)
            self.assertEqual(len([line for line in answers.lines if line.answer]), 1, fault)
        self.assertEqual(accepted, len(faults), "each answer was accepted once")
        self.assertEqual(member.outbox().refused, [])

    def test_the_state_says_how_syncing_stands_without_saying_who(self):
        state = self.secretary.sync_state()
        self.assertTrue(state.joined)
        self.assertIsInstance(state.last_outcome, sotay.SyncOutcome.DONE)
        self.assertGreater(state.bytes_down, 0)
        self.assertNotIn(self.secretary.joined().member, self.secretary.support_text())

    def test_a_second_process_on_the_folder_is_told_that_it_is_in_use(self):
        folder = self.folder()
        first = sotay.Handbook.open(folder, MemoryVault())
        self.addCleanup(first.shutdown)
        other = (
            "import sys, sotay, test_smoke\n"
            "try:\n    sotay.Handbook.open(sys.argv[1], test_smoke.MemoryVault())\n"
            "except sotay.HandbookError.InUse:\n    print('in use')\n"
        )
        said = subprocess.run(
            [sys.executable, "-c", other, folder], capture_output=True, text=True, cwd=pathlib.Path(__file__).parent, check=True
        )
        self.assertEqual(said.stdout, "in use\n")

    def folder(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def test_a_locked_key_store_is_told_as_such(self):
        vault = MemoryVault()
        vault.locked = True
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(HandbookError.KeyLocked):
            sotay.Handbook.open(folder, vault)


if __name__ == "__main__":
    unittest.main(verbosity=2)
