package vn.sotay.app.phones

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import vn.sotay.app.R
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.SixDigits
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words
import vn.sotay.app.text.dateTime
import vn.sotay.client.JoiningPhoneView

/**
 * Điện thoại đang chờ: the officer hears six digits from the member and says whether they are these. [told] is what became of the
 * last answer.
 */
@Composable
fun JoiningPhonesScreen(
    phones: List<JoiningPhoneView>,
    told: String?,
    onConfirm: (JoiningPhoneView) -> Unit,
    onRefuse: (JoiningPhoneView) -> Unit,
    back: () -> Unit,
) {
    var refusing by rememberSaveable { mutableStateOf<String?>(null) }
    Screen(stringResource(R.string.joining_title), back = back) {
        if (told != null) {
            Panel(Modifier.semantics { liveRegion = LiveRegionMode.Polite }, tone = Tone.Good) { Words(told) }
        }
        Words(stringResource(if (phones.isEmpty()) R.string.joining_nobody else R.string.joining_explained))
        for (phone in phones) {
            Panel {
                About(phone)
                if (phone.installation == refusing) {
                    Words(stringResource(R.string.joining_refuse_ask))
                    MainButton(
                        stringResource(R.string.joining_refuse),
                        {
                            refusing = null
                            onRefuse(phone)
                        },
                        spoken = stringResource(R.string.joining_refuse_of, phone.memberName),
                    )
                    OtherButton(stringResource(R.string.cancel), { refusing = null })
                } else {
                    MainButton(
                        stringResource(R.string.joining_same),
                        { onConfirm(phone) },
                        spoken = stringResource(R.string.joining_same_of, phone.memberName),
                    )
                    OtherButton(
                        stringResource(R.string.joining_other),
                        { refusing = phone.installation },
                        spoken = stringResource(R.string.joining_other_of, phone.memberName),
                    )
                }
            }
        }
    }
}

@Composable
private fun About(phone: JoiningPhoneView) {
    val resources = LocalContext.current.resources
    Words(phone.memberName, style = MaterialTheme.typography.titleLarge)
    Words(phone.cellName)
    Words(stringResource(R.string.joining_device, phone.deviceName))
    Remark(stringResource(R.string.joining_since, resources.dateTime(phone.since)))
    SixDigits(phone.digits)
}
