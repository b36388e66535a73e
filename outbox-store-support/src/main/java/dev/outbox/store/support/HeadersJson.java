package dev.outbox.store.support;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Headers as stored: a JSON object of strings, in the order given. */
public final class HeadersJson {
    /** What was stored must be readable, so a long name is no attack here; and names are not kept forever. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNameLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    private HeadersJson() {}

    /** As a text. */
    public static String text(Map<String, String> headers) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            write(headers, json);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return text.toString();
    }

    /** As UTF-8. */
    public static byte[] bytes(Map<String, String> headers) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            write(headers, json);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    private static void write(Map<String, String> headers, JsonGenerator json) throws IOException {
        json.writeStartObject();
        for (Map.Entry<String, String> header : headers.entrySet()) {
            json.writeStringField(header.getKey(), header.getValue());
        }
        json.writeEndObject();
    }

    /**
     * What {@link #text} has written; unmodifiable.
     *
     * @throws UncheckedIOException if it is anything else: what is misread would be published, and nobody would know
     */
    public static Map<String, String> read(String text) {
        try (JsonParser json = JSON.createParser(text)) {
            return read(json);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /**
     * What {@link #bytes} has written; unmodifiable.
     *
     * @throws UncheckedIOException if it is anything else
     */
    public static Map<String, String> read(byte[] bytes) {
        try (JsonParser json = JSON.createParser(bytes)) {
            return read(json);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static Map<String, String> read(JsonParser json) throws IOException {
        Map<String, String> headers = new LinkedHashMap<>();
        require(json.nextToken() == JsonToken.START_OBJECT);
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            require(json.nextToken() == JsonToken.VALUE_STRING);
            require(headers.put(name, json.getText()) == null);
        }
        require(json.currentToken() == JsonToken.END_OBJECT && json.nextToken() == null);
        return Collections.unmodifiableMap(headers);
    }

    private static void require(boolean isAsWritten) throws IOException {
        if (!isAsWritten) {
            throw new IOException("not an object, or a value that is no string, or a name that is there twice");
        }
    }

    private static UncheckedIOException unreadable(IOException e) {
        return new UncheckedIOException("The headers in the outbox are not a JSON object of strings", e);
    }
}
