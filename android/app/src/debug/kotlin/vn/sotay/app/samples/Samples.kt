package vn.sotay.app.samples

import vn.sotay.client.AbsenceView
import vn.sotay.client.AnswerLine
import vn.sotay.client.AnswerView
import vn.sotay.client.AnswersView
import vn.sotay.client.ConfirmationWait
import vn.sotay.client.ContactView
import vn.sotay.client.CorrectionView
import vn.sotay.client.DeliveryView
import vn.sotay.client.DocumentCard
import vn.sotay.client.DocumentView
import vn.sotay.client.EnteredView
import vn.sotay.client.HomeView
import vn.sotay.client.LibraryView
import vn.sotay.client.LineView
import vn.sotay.client.MarkView
import vn.sotay.client.MeetingCard
import vn.sotay.client.MeetingPage
import vn.sotay.client.MeetingStage
import vn.sotay.client.MeetingView
import vn.sotay.client.NoticeChangeView
import vn.sotay.client.NoticeDifference
import vn.sotay.client.NoticeForm
import vn.sotay.client.OfficeView
import vn.sotay.client.OutboxLine
import vn.sotay.client.OutboxView
import vn.sotay.client.PersonName
import vn.sotay.client.ProfileView
import vn.sotay.client.ReadingPlace
import vn.sotay.client.RollCallView
import vn.sotay.client.SectionHeading
import vn.sotay.client.SectionPage
import vn.sotay.client.SectionView
import vn.sotay.client.WaitingItem
import vn.sotay.model.AbsenceReason
import vn.sotay.model.AbsenceState
import vn.sotay.model.AttendanceMark
import vn.sotay.model.Channel
import vn.sotay.model.Choice
import vn.sotay.model.Closing
import vn.sotay.model.ConfidentialityLevel
import vn.sotay.model.DocumentKind
import vn.sotay.model.Fault
import vn.sotay.model.Figure
import vn.sotay.model.Figures
import vn.sotay.model.MarkSource
import vn.sotay.model.MeetingKind
import vn.sotay.model.MeetingMode
import vn.sotay.model.MemberStatus
import vn.sotay.model.ParticipationMode
import vn.sotay.model.ProfileField
import vn.sotay.model.Rejection
import vn.sotay.model.Role
import vn.sotay.model.Step
import vn.sotay.model.StepReason
import vn.sotay.model.Version
import java.time.Instant
import java.time.LocalDate
import java.time.ZonedDateTime
import vn.sotay.model.Field as FormField

/** Views of an invented cell, for previews and for tests of screens: no engine, no network. */
object Samples {
    private fun at(text: String): Instant = ZonedDateTime.parse("$text:00+07:00").toInstant()

    private val starts = at("2026-12-07T19:30")
    private val ends = at("2026-12-07T21:00")

    const val MEETING = "meeting"

    private val draft = document("d1", "Dự thảo nghị quyết tháng 12", DocumentKind.Draft, "01-DT/CB", opened = false)
    private val bulletin = document("d2", "Bản tin tháng 11", DocumentKind.Bulletin, null, opened = true)
    private val directive =
        document("d3", "Hướng dẫn sinh hoạt chi bộ thường kỳ", DocumentKind.Directive, "05-HD/ĐU", opened = true)

    private fun document(
        key: String,
        title: String,
        kind: DocumentKind,
        number: String?,
        opened: Boolean,
    ) = DocumentCard(
        document = key,
        title = title,
        number = number,
        issuer = "Chi ủy Chi bộ Mẫu 1",
        kind = kind,
        level = ConfidentialityLevel.Internal,
        issuedOn = LocalDate.of(2026, 11, 20),
        publishedAt = at("2026-11-20T08:00"),
        forMeeting = MEETING.takeIf { kind is DocumentKind.Draft },
        sectionCount = 3u,
        complete = true,
        opened = opened,
    )

    private val card =
        MeetingCard(
            meeting = MEETING,
            noticeVersion = 1u,
            title = "Sinh hoạt thường kỳ tháng 12",
            kind = MeetingKind.Regular,
            startsAt = starts,
            endsAt = ends,
            place = "Nhà văn hóa thôn Mẫu",
            mode = MeetingMode.InRoom,
            stage = MeetingStage.ANNOUNCED,
            answerBy = at("2026-12-07T07:30"),
            myAnswer = null,
            myAbsence = null,
        )

    private val willAttend =
        AnswerView(
            choice = Choice.WillAttend,
            forOldTime = false,
            late = false,
            madeAt = at("2026-12-01T20:00"),
            entered = null,
            pending = false,
        )

    private fun absence(
        state: AbsenceState,
        answer: String? = null,
    ) = AbsenceView(
        reason = AbsenceReason.Health,
        note = "Tôi đi khám bệnh.",
        state = state,
        late = false,
        madeAt = at("2026-12-01T20:00"),
        answer = answer,
        decidedBy = answer?.let { "Nguyễn Văn Thử" },
        decidedAt = answer?.let { at("2026-12-02T08:00") },
        entered = null,
        pending = false,
    )

    private val change =
        NoticeChangeView(
            meeting = MEETING,
            title = card.title,
            knownVersion = 1u,
            noticeVersion = 2u,
            urgent = false,
            differences =
                listOf(
                    NoticeDifference.StartsAt(at("2026-12-07T19:00"), starts),
                    NoticeDifference.Place("Trụ sở thôn Mẫu", card.place),
                ),
        )

    val home =
        HomeView(
            memberName = "Lê Văn Ví Dụ",
            cellName = "Chi bộ Mẫu 1",
            leads = false,
            changes = emptyList(),
            nextMeeting = card,
            waiting =
                listOf(
                    WaitingItem.Answer(MEETING, card.title, card.answerBy),
                    WaitingItem.Read(draft.document, draft.title),
                ),
            newDocuments = listOf(draft),
            secretary = ContactView("Nguyễn Văn Thử", "0900 000 001"),
            delivery = DeliveryView(0u, 0u, at("2026-12-01T20:00"), false),
        )

    val homeChanged =
        home.copy(
            changes = listOf(change),
            nextMeeting = card.copy(myAnswer = willAttend.copy(forOldTime = true)),
            waiting = listOf(WaitingItem.Acknowledge(MEETING, card.title), WaitingItem.Refused(1u)),
            delivery = DeliveryView(1u, 1u, at("2026-12-01T20:00"), true),
        )

    val homeSecretary =
        home.copy(
            memberName = "Nguyễn Văn Thử",
            leads = true,
            nextMeeting = card.copy(myAnswer = willAttend),
            waiting =
                listOf(
                    WaitingItem.DecideAbsences(MEETING, card.title, 3u),
                    WaitingItem.ResolveMarks(MEETING, card.title, 1u),
                    WaitingItem.Confirm(MEETING, card.title),
                    WaitingItem.RatifyChair(MEETING, card.title),
                ),
            newDocuments = emptyList(),
        )

    val meetings =
        MeetingPage(
            listOf(
                card.copy(myAnswer = willAttend),
                card.copy(
                    meeting = "m2",
                    title = "Sinh hoạt chuyên đề: bảo vệ môi trường",
                    kind = MeetingKind.Thematic,
                    startsAt = at("2026-12-20T08:00"),
                    endsAt = at("2026-12-20T10:00"),
                    myAbsence = absence(AbsenceState.Waiting),
                ),
                card.copy(
                    meeting = "m3",
                    title = "Sinh hoạt thường kỳ tháng 11",
                    startsAt = at("2026-11-05T19:30"),
                    endsAt = at("2026-11-05T21:00"),
                    stage = MeetingStage.CONFIRMED,
                ),
            ),
            3u,
        )

    val meeting =
        MeetingView(
            card = card.copy(myAnswer = willAttend),
            noticeVersion = 2u,
            base = Version(1, 2),
            organisation = "cell",
            participating = listOf("Chi bộ Mẫu 1"),
            agenda = listOf("Đánh giá công tác tháng 11", "Góp ý dự thảo nghị quyết tháng 12"),
            documents = listOf(draft),
            guests = listOf("Đồng chí Mẫu 09, Đảng ủy xã"),
            absenceBy = card.answerBy,
            publishedAt = at("2026-12-01T08:00"),
            noticeLate = false,
            cancelReason = null,
            change = change,
            myLine = null,
            confirmed = null,
            leads = false,
            takesRollCall = false,
        )

    val meetingExcused =
        meeting.copy(
            card = card.copy(myAbsence = absence(AbsenceState.Granted, "Chúc đồng chí mau khỏe.")),
            change = null,
        )

    val meetingSecretary = meeting.copy(change = null, leads = true, takesRollCall = true)

    val meetingCancelled =
        meeting.copy(card = card.copy(stage = MeetingStage.CANCELLED), change = null, cancelReason = "Bão số 9")

    val notice =
        NoticeForm(
            kind = MeetingKind.Regular,
            title = card.title,
            startsAt = starts,
            endsAt = ends,
            place = card.place,
            mode = MeetingMode.InRoom,
            agenda = meeting.agenda,
            documents = listOf(draft.document),
            guests = emptyList(),
            answerBy = null,
            absenceBy = null,
        )

    val documents = listOf(draft, bulletin, directive)

    private fun line(
        member: String,
        name: String,
    ) = AnswerLine(
        member = member,
        name = name,
        status = MemberStatus.Official,
        phone = "0900 000 00$member",
        answer = null,
        absence = null,
        knownVersion = 0u,
        informed = null,
    )

    val answers =
        AnswersView(
            meeting = MEETING,
            noticeVersion = 2u,
            expected = 6u,
            willAttend = 2u,
            lines =
                listOf(
                    line("1", "Phạm Thị Mẫu Một").copy(absence = absence(AbsenceState.Waiting), knownVersion = 2u),
                    line("2", "Hoàng Văn Mẫu Hai"),
                    line("3", "Đặng Văn Mẫu Ba")
                        .copy(knownVersion = 2u, informed = EnteredView("Trần Thị Mẫu", Channel.PhoneCall)),
                    line("4", "Lê Văn Ví Dụ").copy(answer = willAttend, knownVersion = 2u),
                    line("5", "Vũ Thị Mẫu Năm").copy(
                        answer =
                            willAttend.copy(
                                late = true,
                                entered = EnteredView("Nguyễn Văn Thử", Channel.ThroughOthers),
                            ),
                        knownVersion = 2u,
                    ),
                    line(
                        "6",
                        "Đỗ Văn Mẫu Sáu",
                    ).copy(absence = absence(AbsenceState.Granted, "Đồng ý."), knownVersion = 2u),
                ),
            absencesWaiting = 1u,
            notReached = 1u,
        )

    private fun attendance(
        member: String,
        name: String,
        mark: AttendanceMark,
    ) = LineView(
        member = member,
        name = name,
        convenedAs = MemberStatus.Official,
        mark = mark,
        mode = ParticipationMode.InRoom,
        voted = false,
        conflict = false,
        marks = emptyList(),
        proposed = null,
        expected = null,
        absence = null,
        objections = emptyList(),
        pending = false,
    )

    private fun mark(
        by: String,
        source: MarkSource,
        mark: AttendanceMark,
    ) = MarkView(PersonName(by, by), source, mark, ParticipationMode.InRoom, starts)

    private val lines =
        listOf(
            attendance("1", "Phạm Thị Mẫu Một", AttendanceMark.Unmarked).copy(absence = AbsenceState.Granted),
            attendance("2", "Hoàng Văn Mẫu Hai", AttendanceMark.Present)
                .copy(convenedAs = MemberStatus.Probationary, expected = Choice.WillAttend),
            attendance("3", "Đặng Văn Mẫu Ba", AttendanceMark.AbsentUnexcused).copy(pending = true),
            attendance("4", "Lê Văn Ví Dụ", AttendanceMark.Present).copy(
                conflict = true,
                marks =
                    listOf(
                        mark("Nguyễn Văn Thử", MarkSource.Recorder, AttendanceMark.Present),
                        mark("Trần Thị Mẫu", MarkSource.Deputy, AttendanceMark.AbsentUnexcused),
                    ),
            ),
            attendance(
                "5",
                "Vũ Thị Mẫu Miễn",
                AttendanceMark.Present,
            ).copy(convenedAs = MemberStatus.Exempt, voted = true),
            attendance("6", "Bùi Văn Mẫu Bảy", AttendanceMark.Late).copy(mode = ParticipationMode.Online),
        )

    private val figures =
        Figures(
            total = 22u,
            official = 20u,
            probationary = 1u,
            temporaryIn = 0u,
            exempt = 1u,
            elsewhere = 1u,
            suspended = 0u,
            presentOfficial = 17u,
            presentProbationary = 1u,
            presentExempt = 1u,
            presentTemporary = 0u,
            presentOnline = 1u,
            absentExcused = 2u,
            absentUnexcused = 1u,
            unmarked = 0u,
            voteBase =
                Figure(
                    18u,
                    listOf(
                        Step(StepReason.OfficialConvened, 21),
                        Step(StepReason.TemporaryElsewhere, -1),
                        Step(StepReason.AbsentExcused, -2),
                    ),
                ),
            voteBaseByRule = false,
            attending = Figure(18u, listOf(Step(StepReason.PresentInRoom, 17), Step(StepReason.PresentOnline, 1))),
            attendanceBase =
                Figure(21u, listOf(Step(StepReason.OfficialConvened, 20), Step(StepReason.ProbationaryConvened, 1))),
            attendanceGood = true,
            ordinaryMajority = 10u,
            twoThirdsMajority = 12u,
        )

    val rollCall =
        RollCallView(
            meeting = MEETING,
            organisation = "cell",
            title = card.title,
            openedAt = starts,
            chair = PersonName("4", "Lê Văn Ví Dụ"),
            minuteTaker = null,
            assumed = null,
            ratified = false,
            lines = lines,
            present = 18u,
            absent = 1u,
            unmarked = 4u,
            conflicts = 1u,
            seen = byteArrayOf(),
            confirmations = emptyList(),
            figures = figures,
            confirmed = null,
            correction = null,
            mayConfirm = false,
            mayMark = true,
            waitsFor = listOf(ConfirmationWait.Marks(4u), ConfirmationWait.Conflicts(1u), ConfirmationWait.Chair),
        )

    val rollCallNotOpen = rollCall.copy(openedAt = null, lines = emptyList(), chair = null, figures = null)

    val people = lines.map { PersonName(it.member, it.name) }

    val library =
        LibraryView(
            forNextMeeting = listOf(draft),
            continueReading = ReadingPlace(directive.document, directive.title, 1u, "1.1", "Chuẩn bị"),
            bulletin = listOf(bulletin),
            documents = documents,
            count = 3u,
        )

    val document =
        DocumentView(
            card = draft,
            contents =
                listOf(
                    SectionHeading(0u, "1", "Tình hình tháng 11", 1u),
                    SectionHeading(1u, "1.1", "Kết quả", 2u),
                    SectionHeading(2u, "2", "Nhiệm vụ tháng 12", 1u),
                ),
            readingPlace = null,
        )

    val sections =
        SectionPage(
            listOf(
                SectionView(0u, "1", "Tình hình tháng 11", "Trong tháng, chi bộ sinh hoạt đúng kỳ."),
                SectionView(
                    1u,
                    "1.1",
                    "Kết quả",
                    "Thu hoạch lúa vụ mùa xong trước ngày 20.\nĐường vào thôn đã sửa được 300 mét.",
                ),
                SectionView(2u, "2", "Nhiệm vụ tháng 12", "Sửa nốt đường vào thôn.\nChuẩn bị tổng kết năm."),
            ),
            3u,
        )

    val profile =
        ProfileView(
            member = "4",
            name = "Lê Văn Ví Dụ",
            status = MemberStatus.Official,
            organisations = listOf("Chi bộ Mẫu 1", "Đảng ủy xã Mẫu"),
            born = LocalDate.of(1955, 5, 19),
            bornYear = 1955u,
            admittedOn = LocalDate.of(1985, 2, 3),
            officialOn = LocalDate.of(1986, 2, 3),
            partyAge = 40u,
            cardNumber = "00.000.001",
            cardIssuedOn = LocalDate.of(2025, 8, 9),
            cardIssuedBy = "Đảng ủy xã Mẫu",
            offices = listOf(OfficeView("Chi bộ Mẫu 1", Role.CommitteeMember, LocalDate.of(2025, 1, 1), null)),
            corrections =
                listOf(CorrectionView(ProfileField.Born, "Tôi sinh ngày 19/05/1956.", at("2026-11-20T09:00"), true)),
        )

    val outbox =
        OutboxView(
            unsent = listOf(entry(8, "Respond", null, null)),
            refused =
                listOf(
                    entry(6, "RequestAbsence", "Tôi đi khám bệnh.", Rejection.Closed(Closing.MeetingCancelled, null)),
                    entry(7, "ChangeNotice", card.title, Rejection.Invalid(FormField.EndsAt, Fault.EndBeforeStart)),
                ),
        )

    private fun entry(
        n: Long,
        intent: String,
        words: String?,
        refusal: Rejection?,
    ) = OutboxLine(n, intent, MEETING, card.title, words, at("2026-12-01T20:00"), refusal)
}
