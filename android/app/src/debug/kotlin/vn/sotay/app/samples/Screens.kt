package vn.sotay.app.samples

import android.content.res.Configuration
import androidx.compose.runtime.Composable
import androidx.compose.ui.tooling.preview.Preview
import androidx.compose.ui.tooling.preview.PreviewParameter
import androidx.compose.ui.tooling.preview.PreviewParameterProvider
import vn.sotay.app.design.SotayTheme

/** Names every screen of the gallery to the preview pane. */
class Screens : PreviewParameterProvider<Gallery> {
    override val values = Gallery.entries.asSequence()
}

@Preview(name = "sáng", device = "spec:width=360dp,height=740dp")
@Preview(name = "tối", device = "spec:width=360dp,height=740dp", uiMode = Configuration.UI_MODE_NIGHT_YES)
@Preview(name = "chữ to", device = "spec:width=360dp,height=740dp", fontScale = 2f)
@Composable
private fun EveryScreen(
    @PreviewParameter(Screens::class) screen: Gallery,
) = SotayTheme { screen.Show() }
