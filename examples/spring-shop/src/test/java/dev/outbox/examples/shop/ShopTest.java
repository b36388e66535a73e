package dev.outbox.examples.shop;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ShopTest {
    private static final Path MAIN = Path.of("src", "main");

    @Test
    @Tag("versions")
    void everyOrderThatWasCommittedIsBilledOnce() throws Exception {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Count count = KilledShop.run(new PrintStream(said, true, StandardCharsets.UTF_8));
        assertTrue(count.isGood(), () -> said.toString(StandardCharsets.UTF_8));
    }

    @Test
    void theShopIsShort() throws IOException {
        long publishes = lines("ShopApplication.java") + lines("OrderPlaced.java") + lines("PlaceOrder.java");
        try (Stream<String> yaml = Files.lines(MAIN.resolve(Path.of("resources", "application.yaml")))) {
            publishes += yaml.count();
        }
        long consumes = lines("Billing.java");
        assertTrue(publishes > 30 && publishes <= 60, "lines that publish, without imports: " + publishes);
        assertTrue(consumes > 15 && consumes <= 30, "lines that consume, without imports: " + consumes);
    }

    private static long lines(String file) throws IOException {
        try (Stream<String> lines = Files.lines(MAIN.resolve(Path.of("java", "com", "example", "shop", file)))) {
            return lines.filter(line -> !line.isBlank() && !line.startsWith("import ") && !line.startsWith("package "))
                    .count();
        }
    }
}
