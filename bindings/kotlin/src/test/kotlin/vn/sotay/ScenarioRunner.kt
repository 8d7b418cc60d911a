package vn.sotay

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.JsonNodeFactory
import com.fasterxml.jackson.databind.node.ObjectNode
import com.fasterxml.jackson.databind.node.TextNode
import vn.sotay.client.HandbookException
import java.io.File
import java.time.Instant
import kotlin.test.assertEquals
import kotlin.test.fail

/** Tells a story of tests/scenarios step by step through the handbook. */
class ScenarioRunner(
    scenario: File,
) : AutoCloseable {
    private val nodes = JsonNodeFactory.instance
    private val story = ScenarioServer.json.readTree(scenario)
    private val server = ScenarioServer(scenario)
    private val phones = HashMap<String, Phone>()
    private val names = HashMap(server.names)
    private val began = Instant.now().toEpochMilli()

    suspend fun run() {
        for ((name, _) in story["phones"].properties()) phones[name] = Phone.empty()
        story["steps"].forEachIndexed { position, written ->
            try {
                perform(written)
            } catch (why: Throwable) {
                throw AssertionError("step $position: $written\n${why.message ?: why}", why)
            }
        }
    }

    override fun close() {
        phones.values.forEach { it.close() }
        server.close()
    }

    private suspend fun perform(written: JsonNode) {
        val step = replaced(written)
        for ((field, _) in step.properties()) if (field !in FIELDS) fail("unknown field $field")
        when {
            step.has("server") -> server.become(step["server"].asText())
            step.has("agree") -> agree(step)
            step.has("phones") -> step["phones"].forEach { onPhone(it.asText(), written, step) }
            else -> onPhone(step["phone"].asText(), written, step)
        }
    }

    private suspend fun onPhone(
        name: String,
        written: JsonNode,
        step: JsonNode,
    ) {
        val words = PhoneWords(name, phones[name] ?: fail("no phone $name"), server, names)
        val of = step["of"]?.asText()
        try {
            when {
                step.has("do") -> {
                    val key = words.command(step["do"].asText(), of, step["with"] ?: nodes.objectNode())
                    // A name is saved as it is written: it is no text to be replaced.
                    written["as"]?.let { names[it.asText()] = key ?: fail("${step["do"]} gives no key") }
                }

                step.has("expect") -> {
                    val screen = plain(words.screen(step["expect"].asText(), of))
                    if (!step.has("fails")) compare(step["is"], screen)
                }

                else -> {
                    fail("neither do nor expect")
                }
            }
        } catch (why: HandbookException) {
            compare(step["fails"] ?: throw AssertionError("failed: ${plain(why)}", why), plain(why))
            return
        }
        if (step.has("fails")) fail("did not fail")
    }

    private suspend fun agree(step: JsonNode) {
        val screens =
            step["agree"].map { phone ->
                val name = phone.asText()
                plain(
                    PhoneWords(
                        name,
                        phones.getValue(name),
                        server,
                        names,
                    ).screen(step["on"].asText(), step["of"]?.asText()),
                )
            }
        for (path in step["fields"]) {
            for (screen in screens) {
                assertEquals(
                    at(screens[0], path.asText()),
                    at(screen, path.asText()),
                    path.asText(),
                )
            }
        }
    }

    private fun compare(
        expected: JsonNode,
        found: JsonNode,
    ) {
        if (expected is TextNode) return check("", expected, found)
        for ((path, value) in expected.properties()) check(path, value, at(found, path))
    }

    private fun check(
        path: String,
        expected: JsonNode,
        found: JsonNode,
    ) {
        if (!equal(expected, found)) fail("at \"$path\": expected $expected, found $found")
    }

    /** A step with its names, instants and long texts put in; also in the names of paths. */
    private fun replaced(node: JsonNode): JsonNode =
        when (node) {
            is TextNode -> {
                nodes.textNode(named(node.asText()))
            }

            is ArrayNode -> {
                nodes.arrayNode().apply { node.forEach { add(replaced(it)) } }
            }

            is ObjectNode -> {
                when {
                    node.size() == 1 && node.has("in_minutes") -> {
                        nodes.numberNode(began + node["in_minutes"].asLong() * 60_000)
                    }

                    node.size() == 1 && node.has("repeat") -> {
                        nodes.textNode(node["repeat"][0].asText().repeat(node["repeat"][1].asInt()))
                    }

                    else -> {
                        nodes.objectNode().apply {
                            for ((name, value) in node.properties()) {
                                set<JsonNode>(
                                    named(name),
                                    replaced(value),
                                )
                            }
                        }
                    }
                }
            }

            else -> {
                node
            }
        }

    private fun named(text: String): String =
        Regex("""\$\{([^}]*)}""").replace(text) { names[it.groupValues[1]] ?: fail("no name ${it.value}") }

    private companion object {
        val FIELDS =
            setOf(
                "phone",
                "phones",
                "do",
                "expect",
                "of",
                "with",
                "as",
                "is",
                "fails",
                "agree",
                "on",
                "fields",
                "server",
                "note",
            )
    }
}
