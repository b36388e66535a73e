package dev.outbox.jackson;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.outbox.Codec;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class JsonCodecTest extends JsonCodecContract {
    JsonCodecTest() {
        super(new Jackson2());
    }

    @Test
    void treesKeepTheirNumbersToTheLastDigit() {
        Codec<JsonNode> codec = json(JsonNode.class);
        JsonNodeFactory f = JsonNodeFactory.instance;
        kept(
                codec,
                f.objectNode()
                        .put("long", 1L)
                        .put("float", 0.1f)
                        .put("double", 0.1)
                        .put("price", new BigDecimal("1.10"))
                        .put("exact", new BigDecimal("0.12345678901234567890123"))
                        .put("huge", new BigInteger("123456789012345678901234567890"))
                        .putNull("none")
                        .set("list", f.arrayNode().add(1).add("x")));
        kept(codec, f.numberNode(new BigDecimal("0.12345678901234567890123")));
        refused(codec, f.objectNode().put("nan", Double.NaN), "'{}'");
        refused(codec, f.objectNode().putPOJO("at", Instant.EPOCH), "'{}'");
        refused(codec, f.objectNode().put("bytes", new byte[] {1}), "'{}'");
    }

    @Test
    void whatIsOptionalIsRefusedWhenTheTopicIsBuilt() {
        unreadable(() -> json(new TypeOf<Optional<String>>() {}), "Optional");
        unreadable(() -> json(new TypeOf<Generic<Optional<String>>>() {}), "'value'", "Optional");
    }
}
