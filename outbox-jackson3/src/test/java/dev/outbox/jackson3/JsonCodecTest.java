package dev.outbox.jackson3;

import dev.outbox.Codec;
import dev.outbox.jackson.JsonCodecContract;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

class JsonCodecTest extends JsonCodecContract {
    JsonCodecTest() {
        super(new Jackson3());
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
    void whatIsOptionalIsKept() {
        kept(json(new TypeOf<Optional<String>>() {}), Optional.of("x"));
        kept(json(new TypeOf<Optional<String>>() {}), Optional.empty());
    }
}
