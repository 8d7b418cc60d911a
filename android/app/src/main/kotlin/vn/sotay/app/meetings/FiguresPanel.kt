package vn.sotay.app.meetings

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Heading
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Words
import vn.sotay.app.text.name
import vn.sotay.model.Figure
import vn.sotay.model.Figures

/** The two figures for the minutes, each with how it was counted. */
@Composable
fun FiguresPanel(figures: Figures) {
    Panel {
        Heading(stringResource(R.string.figures_title))
        with(figures) {
            Words(
                stringResource(
                    R.string.figures_total,
                    total.toInt(),
                    official.toInt(),
                    probationary.toInt(),
                    temporaryIn.toInt(),
                    exempt.toInt(),
                    elsewhere.toInt(),
                ),
            )
            Words(
                stringResource(
                    R.string.figures_present,
                    presentOfficial.toInt(),
                    presentProbationary.toInt(),
                    presentExempt.toInt(),
                    presentTemporary.toInt(),
                ),
            )
            Words(stringResource(R.string.figures_absent, absentExcused.toInt(), absentUnexcused.toInt()))
            Words(
                stringResource(R.string.figures_vote_base, voteBase.value.toInt()),
                style = MaterialTheme.typography.titleMedium,
            )
            Remark(stringResource(if (voteBaseByRule) R.string.figures_vote_rule else R.string.figures_vote_own))
            Steps(voteBase)
            Words(stringResource(R.string.figures_majority, ordinaryMajority.toInt(), twoThirdsMajority.toInt()))
            Words(
                stringResource(R.string.figures_attendance, attending.value.toInt(), attendanceBase.value.toInt()),
                style = MaterialTheme.typography.titleMedium,
            )
            Steps(attending)
            Steps(attendanceBase)
        }
    }
}

@Composable
private fun Steps(figure: Figure) {
    val resources = LocalContext.current.resources
    for (step in figure.counted) {
        Remark(stringResource(R.string.figures_step, resources.name(step.reason), step.count))
    }
}
