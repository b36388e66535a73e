package dev.outbox.jackson3;

import dev.outbox.jackson.GeneratedJsonContract;
import java.math.BigDecimal;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

class GeneratedJsonTest extends GeneratedJsonContract {
    GeneratedJsonTest() {
        super(new Jackson3());
    }

    @Override
    protected Class<?> treeType() {
        return JsonNode.class;
    }

    @Override
    protected Object tree(Random random) {
        JsonNodeFactory f = JsonNodeFactory.instance;
        return switch (random.nextInt(7)) {
            case 0 -> f.numberNode(random.nextLong());
            case 1 -> f.numberNode(random.nextInt());
            case 2 -> f.numberNode(random.nextFloat());
            case 3 -> f.numberNode(decimal(random));
            case 4 -> f.objectNode().put("k", random.nextDouble()).putNull("n");
            case 5 ->
                f.arrayNode().add(random.nextInt()).add(decimal(random)).addPOJO(random.nextBoolean() ? "x" : null);
            default -> f.stringNode("x");
        };
    }

    @Override
    protected @Nullable String dumpedTree(Object value) {
        if (!(value instanceof JsonNode node)) {
            return null;
        }
        return node.isNumber()
                ? new BigDecimal(node.asString()).stripTrailingZeros().toString()
                : node.isContainer() ? "" + node.getNodeType() + dumpAll(node) + node.size() : node.toString();
    }
}
