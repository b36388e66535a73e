package dev.outbox.store.redis;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Headers as stored: a JSON object of strings, in one field, because a script can copy only so many. */
final class Headers {
    /** What was stored must be readable, so a long name is no attack here; and names are not kept for ever. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNameLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    private Headers() {}

    static byte[] write(Map<String, String> headers) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            for (Map.Entry<String, String> header : headers.entrySet()) {
                json.writeStringField(header.getKey(), header.getValue());
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    /** As far as they can be read. */
    static Map<String, String> read(byte[] stored) {
        Map<String, String> headers = new LinkedHashMap<>();
        problem(stored, headers);
        return Collections.unmodifiableMap(headers);
    }

    /** Why they are not what {@link #write} has written, or null if they are. */
    static @Nullable String problem(byte[] stored) {
        return problem(stored, new LinkedHashMap<>());
    }

    private static @Nullable String problem(byte[] stored, Map<String, String> headers) {
        try (JsonParser json = JSON.createParser(stored)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return "its headers are no JSON object";
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                if (json.nextToken() != JsonToken.VALUE_STRING) {
                    return "its header '" + name + "' is no text";
                }
                if (headers.put(name, json.getText()) != null) {
                    return "it has the header '" + name + "' more than once";
                }
            }
            return json.currentToken() == JsonToken.END_OBJECT && json.nextToken() == null
                    ? null
                    : "its headers are no JSON object";
        } catch (IOException e) {
            return "its headers are no JSON";
        }
    }
}
