package dev.outbox.nats;

import io.nats.client.Message;
import io.nats.client.impl.Headers;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The headers of a message, for consumers. NATS allows ASCII in them. A value with other characters, with a line break,
 * or with a space at its start or end, is written as RFC 8187 does in HTTP: {@code UTF-8''} and the bytes of the text,
 * those that are no letter and no digit as {@code %} and two hexadecimal digits. Every other value is written as it is.
 */
public final class NatsHeaders {
    private static final String ENCODED = "UTF-8''";

    private NatsHeaders() {}

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    /** All headers as the application wrote them, in their order; the first value of each. */
    public static Map<String, String> of(Message message) {
        Map<String, String> decoded = new LinkedHashMap<>();
        @Nullable Headers headers = message.getHeaders();
        if (headers != null) {
            for (String name : headers.keySet()) {
                String first = headers.getFirst(name);
                decoded.put(name, first == null ? "" : decode(first));
            }
        }
        return Collections.unmodifiableMap(decoded);
    }

    /** One value as the application wrote it. */
    public static String decode(String value) {
        if (!value.startsWith(ENCODED)) {
            return value;
        }
        byte[] bytes = new byte[value.length()];
        int length = 0;
        for (int i = ENCODED.length(); i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '%' && i + 2 < value.length()) {
                bytes[length++] = (byte) Integer.parseInt(value.substring(i + 1, i + 3), 16);
                i += 2;
            } else {
                bytes[length++] = (byte) c;
            }
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    static String encode(String value) {
        return isPlain(value) ? value : ENCODED + percent(value, false);
    }

    private static boolean isPlain(String value) {
        return isWithin(value, ' ', '~')
                && !value.startsWith(" ")
                && !value.endsWith(" ")
                && !value.startsWith(ENCODED);
    }

    /** Whether all characters are between these two. */
    static boolean isWithin(String text, char first, char last) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < first || text.charAt(i) > last) {
                return false;
            }
        }
        return true;
    }

    /** The value of an attribute of CloudEvents, as their binding to HTTP writes it, which that to NATS refers to. */
    static String encodeAttribute(String value) {
        return percent(value, true);
    }

    /**
     * Letters and digits, and what else a value may have, as they are.
     *
     * @param lenient whether that is all that can be seen, except the quotation mark
     */
    static String percent(String value, boolean lenient) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
            if (b > ' ' && b <= '~' && (lenient ? b != '"' && b != '%' : isLetterOrDigit(b) || b == '-' || b == '_')) {
                encoded.append((char) b);
            } else {
                encoded.append('%').append(HEX.toHexDigits(b));
            }
        }
        return encoded.toString();
    }

    private static boolean isLetterOrDigit(int b) {
        return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9';
    }
}
