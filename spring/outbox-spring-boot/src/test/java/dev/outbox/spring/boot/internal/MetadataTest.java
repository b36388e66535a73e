package dev.outbox.spring.boot.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What editors and documents say about the properties. */
class MetadataTest {
    private static final String METADATA = "/META-INF/spring-configuration-metadata.json";

    @Test
    void everyPropertyIsDescribed() throws Exception {
        List<String> without = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (JsonNode property : properties()) {
            names.add(property.path("name").asText());
            if (property.path("description").asText().length() < 20) {
                without.add(property.path("name").asText());
            }
        }
        assertTrue(names.size() >= 12, "properties: " + names);
        assertEquals(List.of(), without, "without a description");
    }

    @Test
    void theDocumentHasEveryProperty() throws Exception {
        String document = Files.readString(Path.of("..", "..", "docs", "SPRING.md"));
        List<String> missing = new ArrayList<>();
        for (JsonNode property : properties()) {
            String row = "| `" + property.path("name").asText() + "` | "
                    + (property.has("defaultValue")
                            ? "`" + property.path("defaultValue").asText() + "`"
                            : "") + " |";
            if (property.path("name").asText().startsWith("outbox.") && !document.contains(row)) {
                missing.add(row);
            }
        }
        assertEquals(List.of(), missing, "rows that docs/SPRING.md does not have");
    }

    private static JsonNode properties() throws Exception {
        try (InputStream file = Objects.requireNonNull(MetadataTest.class.getResourceAsStream(METADATA), METADATA)) {
            return new ObjectMapper().readTree(file).path("properties");
        }
    }
}
