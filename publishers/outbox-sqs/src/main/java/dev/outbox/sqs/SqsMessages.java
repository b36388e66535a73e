package dev.outbox.sqs;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;

/**
 * The payload and the headers of a message, for consumers. A consumer has to receive the message with all its
 * attributes: {@code messageAttributeNames("All")}.
 *
 * <p>A body of SQS is a text that is not empty. A payload that is such a text in UTF-8 is the body as it is. Of any
 * other payload, the attribute {@value #ENCODING} says what the body is: {@code base64} of the payload, or, for {@code
 * empty}, a hyphen that stands for no bytes.
 *
 * <p>A header is an attribute with its name, of type {@code String}. A message has at most 10 attributes, an attribute
 * is not empty, and SQS does not allow every name and every character. Headers that are not attributes for one of these
 * reasons are together in the attribute {@value #HEADERS}, as {@code name=value&name=value}, percent-encoded like a
 * form of HTML.
 */
public final class SqsMessages {
    /** The attribute that says how the payload is written in the body. A message whose body is the payload has none. */
    public static final String ENCODING = "outbox-encoding";

    /** The attribute with the headers that are not attributes of their own. A message without such headers has none. */
    public static final String HEADERS = "outbox-headers";

    static final String BASE64 = "base64";
    static final String EMPTY = "empty";

    /** What stands for no bytes, because a body has at least one character. */
    static final String NO_BYTES = "-";

    private static final Set<String> OURS = Set.of(ENCODING, HEADERS);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*");
    private static final int LONGEST_NAME = 256;

    private SqsMessages() {}

    /**
     * The payload, byte by byte as the codec of the topic wrote it.
     *
     * @throws IllegalArgumentException if the body is not what the attribute {@value #ENCODING} says
     */
    public static byte[] payload(Message message) {
        MessageAttributeValue encoding = message.messageAttributes().get(ENCODING);
        String body = message.body();
        if (encoding == null) {
            return body.getBytes(StandardCharsets.UTF_8);
        }
        return switch (encoding.stringValue()) {
            case BASE64 -> Base64.getDecoder().decode(body);
            case EMPTY -> new byte[0];
            default ->
                throw new IllegalArgumentException("The attribute " + ENCODING + " is '" + encoding.stringValue()
                        + "', which this version does not" + " know; expected " + BASE64 + " or " + EMPTY + ".");
        };
    }

    /**
     * All headers as the application wrote them, with those of {@link dev.outbox.OutboxHeaders}.
     *
     * @return unmodifiable
     * @throws IllegalArgumentException if the attribute {@value #HEADERS} is not as a publisher writes it
     */
    public static Map<String, String> headers(Message message) {
        Map<String, String> headers = new LinkedHashMap<>();
        message.messageAttributes().forEach((name, value) -> {
            String text = value.stringValue();
            if (text != null && !OURS.contains(name)) {
                headers.put(name, text);
            }
        });
        MessageAttributeValue packed = message.messageAttributes().get(HEADERS);
        if (packed != null) {
            for (String pair : packed.stringValue().split("&", -1)) {
                String[] parts = pair.split("=", 2);
                headers.put(decode(parts[0]), parts.length == 1 ? "" : decode(parts[1]));
            }
        }
        return Collections.unmodifiableMap(headers);
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    /** Headers in one text. */
    static String pack(Map<String, String> headers) {
        return headers.entrySet().stream()
                .map(header -> encode(header.getKey()) + "=" + encode(header.getValue()))
                .collect(Collectors.joining("&"));
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Whether a header can be an attribute of its own. */
    static boolean isAttribute(String name, String value) {
        String small = name.toLowerCase(Locale.ROOT);
        return name.length() <= LONGEST_NAME
                && NAME.matcher(name).matches()
                && !small.startsWith("aws.")
                && !small.startsWith("amazon.")
                && !OURS.contains(name)
                && isText(value);
    }

    /** The text whose bytes in UTF-8 these are, or null if there is none that SQS takes. */
    static @Nullable String textOf(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return isText(text) ? text : null;
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** Whether SQS takes a text: it has characters, and all of them are allowed in XML. */
    private static boolean isText(String text) {
        return !text.isEmpty() && text.codePoints().allMatch(SqsMessages::isAllowed);
    }

    private static boolean isAllowed(int c) {
        return c == '\t'
                || c == '\n'
                || c == '\r'
                || c >= ' ' && c <= 0xD7FF
                || c >= 0xE000 && c <= 0xFFFD
                || c >= 0x10000 && c <= 0x10FFFF;
    }
}
