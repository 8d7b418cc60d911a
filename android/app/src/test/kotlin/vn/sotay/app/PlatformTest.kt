package vn.sotay.app

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element
import java.io.File
import java.util.zip.ZipFile
import javax.xml.parsers.DocumentBuilderFactory

/**
 * What the platform is told about the app: the manifest as it is packaged, with what the libraries add to it, the files that it
 * names, and the classes.
 */
class PlatformTest {
    private val manifest = parse(File(System.getProperty("sotay.manifest")))
    private val application = manifest.children("application").single()
    private val components =
        application.children("activity", "activity-alias", "service", "receiver", "provider")

    private fun parse(file: File): Element =
        DocumentBuilderFactory
            .newInstance()
            .newDocumentBuilder()
            .parse(file)
            .documentElement

    private fun Element.children(vararg names: String): List<Element> =
        (0 until childNodes.length)
            .map { childNodes.item(it) }
            .filterIsInstance<Element>()
            .filter { names.isEmpty() || it.tagName in names }

    private fun Element.says(name: String): String? = getAttribute("android:$name").ifEmpty { null }

    /** The file that the manifest names, as the app's own resources have it. */
    private fun named(attribute: String): Element {
        val name = application.says(attribute).orEmpty()
        assertTrue("$attribute: $name", name.startsWith("@xml/"))
        return parse(File(System.getProperty("sotay.resources"), "xml/${name.removePrefix("@xml/")}.xml"))
    }

    @Test
    fun `platform one component is exported and it is what the launcher starts`() {
        assertTrue("a manifest of ${components.size} components is not the merged one", components.size > 2)
        for (component in components) {
            val isMain = component.says("name") == "vn.sotay.app.MainActivity"
            assertEquals("${component.says("name")}", if (isMain) "true" else "false", component.says("exported"))
        }
        val main = components.single { it.says("exported") == "true" }
        val filters = main.children("intent-filter")
        assertEquals(
            listOf("android.intent.action.MAIN", "android.intent.action.VIEW"),
            filters.flatMap { it.children("action") }.map { it.says("name") },
        )
        // Of the links of the world, invitations only.
        val links = filters.flatMap { it.children("data") }
        assertEquals(listOf("sotay" to "join"), links.map { it.says("scheme") to it.says("host") })
    }

    @Test
    fun `platform no permission is asked for beyond these`() {
        val wanted = manifest.children("uses-permission", "uses-permission-sdk-23").map { it.says("name") }.toSet()
        val expected =
            setOf(
                "android.permission.INTERNET",
                "android.permission.ACCESS_NETWORK_STATE",
                "android.permission.POST_NOTIFICATIONS",
                "android.permission.USE_BIOMETRIC",
                // Made by a library for itself: a receiver that no other app may speak to.
                "vn.sotay.app.DYNAMIC_RECEIVER_NOT_EXPORTED_PERMISSION",
            )
        assertEquals(expected, wanted)
        val made = manifest.children("permission").map { it.says("name") to it.says("protectionLevel") }
        assertEquals(listOf("vn.sotay.app.DYNAMIC_RECEIVER_NOT_EXPORTED_PERMISSION" to "signature"), made)
    }

    @Test
    fun `platform nothing can be looked into from outside`() {
        assertTrue(application.says("debuggable") in listOf(null, "false"))
        assertTrue(application.says("testOnly") in listOf(null, "false"))
        assertEquals(emptyList<Element>(), application.children("profileable"))
    }

    @Test
    fun `storage 2 no backup takes anything of the app along`() {
        assertEquals("false", application.says("allowBackup"))
        assertEquals(null, application.says("backupAgent"))
        val everything = mutableSetOf("external")
        for (where in listOf("", "device_")) {
            everything += listOf("root", "file", "database", "sharedpref").map { where + it }
        }

        fun excludesEverything(rules: Element) {
            assertEquals("only exclusions", setOf("exclude"), rules.children().map { it.tagName }.toSet())
            assertEquals(rules.tagName, everything, rules.children().map { it.getAttribute("domain") }.toSet())
            for (rule in rules.children()) assertTrue(rule.getAttribute("path") in listOf("", "."))
        }
        val rules = named("dataExtractionRules").children()
        assertEquals(listOf("cloud-backup", "device-transfer"), rules.map { it.tagName })
        rules.forEach(::excludesEverything)
        excludesEverything(named("fullBackupContent"))
    }

    @Test
    fun `network 1 the platform lets nothing through in the clear`() {
        assertTrue(application.says("usesCleartextTraffic") in listOf(null, "false"))
        val rules = named("networkSecurityConfig").children()
        // No exceptions for a host or for a debug build.
        assertEquals(listOf("base-config"), rules.map { it.tagName })
        assertEquals("false", rules.single().getAttribute("cleartextTrafficPermitted"))
        assertEquals(emptyList<Element>(), rules.single().children())
    }

    /** The classes of a folder or of a jar, as text in which their names and those they speak of can be found. */
    private fun classes(place: File): Map<String, String> =
        if (place.isDirectory) {
            place
                .walk()
                .filter { it.extension == "class" }
                .associate { it.toRelativeString(place) to it.readText(Charsets.ISO_8859_1) }
        } else {
            ZipFile(place).use { jar ->
                jar
                    .entries()
                    .asSequence()
                    .filter { it.name.endsWith(".class") }
                    .associate { it.name to jar.getInputStream(it).readBytes().toString(Charsets.ISO_8859_1) }
            }
        }

    private val own by lazy { classes(File(System.getProperty("sotay.classes"))) }

    private fun ownThatSay(what: String) = own.filter { what in it.value }.keys

    @Test
    fun `platform no class of the app or of what it is linked with shows web pages`() {
        val linked = System.getProperty("sotay.linked").split(File.pathSeparator).map(::File)
        val all = linked.fold(own) { sum, jar -> sum + classes(jar) }
        assertTrue("${all.size} classes are not all of them", all.size > 5_000)
        assertTrue(all.count { "android/content/Intent" in it.value } > 10)
        assertEquals(setOf(ADDRESS_FINDER), all.filter { "android/webkit/WebView" in it.value }.keys)
        // That one would let a web view look for addresses in a text, and nobody asks it to.
        val asks = all.filter { ADDRESS_FINDER.removeSuffix(".class") in it.value }.keys
        assertEquals(emptyList<String>(), asks.filterNot { it.startsWith(ADDRESS_FINDER.removeSuffix(".class")) })
    }

    @Test
    fun `platform nothing of the app is put on the clipboard or can be selected for it`() {
        assertTrue(ownThatSay("androidx/compose/material3/TextKt").isNotEmpty())
        for (way in listOf(
            "android/content/ClipboardManager",
            "LocalClipboard",
            "text/selection/SelectionContainer",
        )) {
            assertEquals(way, emptySet<String>(), ownThatSay(way))
        }
    }

    @Test
    fun `storage 2 nothing is written to the phone's log or beside the handbook`() {
        for (way in listOf("android/util/Log", "android/content/SharedPreferences", "java/io/FileOutputStream")) {
            assertEquals(way, emptySet<String>(), ownThatSay(way) - KEPT_BY_THE_VAULT)
        }
        // Neither the handbook nor its key lies where a backup looks.
        assertTrue(ownThatSay("getNoBackupFilesDir").isNotEmpty())
        for (place in listOf("getFilesDir", "getCacheDir", "getExternalFilesDir", "getDatabasePath")) {
            assertEquals(place, emptySet<String>(), ownThatSay(place))
        }
    }

    private companion object {
        const val ADDRESS_FINDER = "androidx/core/text/util/LinkifyCompat.class"

        /** The sealed root, of which nothing can be read without the phone's key store. */
        val KEPT_BY_THE_VAULT = setOf("vn/sotay/app/keys/KeystoreVault.class")
    }
}
