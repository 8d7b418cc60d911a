package vn.sotay

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.JsonNodeFactory
import com.fasterxml.jackson.databind.node.ObjectNode
import com.fasterxml.jackson.databind.node.TextNode
import java.lang.reflect.Field
import java.lang.reflect.Modifier
import java.time.Instant

// What the handbook shows, as the JSON that scenarios compare (tests/scenarios/README.md).

private val nodes = JsonNodeFactory.instance

fun plain(value: Any?): JsonNode =
    when (value) {
        null -> {
            nodes.nullNode()
        }

        is String -> {
            nodes.textNode(value)
        }

        is Boolean -> {
            nodes.booleanNode(value)
        }

        is Number -> {
            nodes.numberNode(value.toLong())
        }

        is UInt -> {
            nodes.numberNode(value.toLong())
        }

        is UShort -> {
            nodes.numberNode(value.toLong())
        }

        is Instant -> {
            nodes.numberNode(value.toEpochMilli())
        }

        is java.time.LocalDate -> {
            nodes.textNode(value.toString())
        }

        is ByteArray -> {
            nodes.textNode(value.joinToString("") { "%02x".format(it) })
        }

        is List<*> -> {
            nodes.arrayNode().apply { value.forEach { add(plain(it)) } }
        }

        is Enum<*> -> {
            nodes.textNode(
                value.name.split('_').joinToString("") {
                    it.lowercase().replaceFirstChar(Char::uppercase)
                },
            )
        }

        else -> {
            record(value)
        }
    }

private fun record(value: Any): JsonNode {
    val type = value.javaClass
    val fields = type.declaredFields.filterNot { Modifier.isStatic(it.modifiers) }
    val name = type.simpleName.takeIf { Modifier.isAbstract(type.superclass.modifiers) || value is Exception }
    if (name != null && fields.isEmpty()) return nodes.textNode(name)
    val result = nodes.objectNode()
    name?.let { result.put("is", it) }
    for (field in fields) result.set<JsonNode>(snakeCase(field.name), plain(read(value, field)))
    return result
}

/** Kotlin keeps a `UInt` in an `int`; the getter's name tells. */
private fun read(
    value: Any,
    field: Field,
): Any? {
    field.isAccessible = true
    val content = field.get(value)
    val getter = "get" + field.name.replaceFirstChar(Char::uppercase) + "-"
    val unsigned = value.javaClass.declaredMethods.any { it.name.startsWith(getter) }
    return when {
        unsigned && content is Int -> content.toUInt()
        unsigned && content is Short -> content.toUShort()
        else -> content
    }
}

private fun snakeCase(name: String) = name.replace(Regex("([A-Z])")) { "_" + it.value.lowercase() }

/** What stands at a path; a path that leads nowhere gives null. */
fun at(
    node: JsonNode,
    path: String,
): JsonNode = if (path.isEmpty()) node else path.split('.').fold(node, ::step)

private fun step(
    node: JsonNode,
    step: String,
): JsonNode =
    when (node) {
        is ArrayNode -> {
            when {
                step == "#" -> {
                    nodes.numberNode(node.size().toLong())
                }

                '=' in step -> {
                    val (field, wanted) = step.split('=', limit = 2)
                    node.firstOrNull { it[field]?.textOf() == wanted || (field == "is" && it.textOf() == wanted) }
                }

                else -> {
                    step.toIntOrNull()?.let { node[it] }
                }
            }
        }

        is ObjectNode -> {
            node[step]
        }

        else -> {
            null
        }
    } ?: nodes.nullNode()

/** A choice with fields is found by its name, as one without is. */
private fun JsonNode.textOf(): String? = if (isTextual) asText() else this["is"]?.asText()

/** Whether a value is the expected one; a name also equals a choice of that name with fields. */
fun equal(
    expected: JsonNode,
    found: JsonNode,
): Boolean =
    when {
        expected is TextNode && found is ObjectNode -> found["is"] == expected
        expected.isIntegralNumber && found.isIntegralNumber -> expected.asLong() == found.asLong()
        else -> expected == found
    }
