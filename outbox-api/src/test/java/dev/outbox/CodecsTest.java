package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the codec of a topic comes from that was given a type alone. */
class CodecsTest {
    record Order(String customer) {}

    /** Codes everything as its text, and cannot read it. */
    public static class First implements JsonCodecProvider {
        @Override
        public <T> Codec<T> json(Class<T> type) {
            return new Codec<>() {
                @Override
                public byte[] encode(T message) {
                    return message.toString().getBytes(StandardCharsets.UTF_8);
                }

                @Override
                public T decode(byte[] payload) {
                    throw new AssertionError("not read here");
                }
            };
        }

        @Override
        public String description() {
            return "first: JSON";
        }
    }

    /** Another. */
    public static final class Second extends First {
        @Override
        public String description() {
            return "second: JSON";
        }
    }

    @Test
    void theOneThatIsThereIsUsed(@TempDir Path folder) throws Exception {
        byte[] payload = with(folder, () -> Codecs.json(Order.class).encode(new Order("C-1")), First.class);
        assertEquals("Order[customer=C-1]", new String(payload, StandardCharsets.UTF_8));
    }

    @Test
    void withoutOneItSaysWhatToAdd(@TempDir Path folder) throws Exception {
        String text = refused(folder);
        assertTrue(text.contains("CodecsTest$Order as JSON"), text);
        assertTrue(text.contains("Add the artifact dev.outbox:outbox-jackson"), text);
        assertTrue(text.contains("Topic.builder(name, codec)"), text);
    }

    @Test
    void amongSeveralNoneIsChosen(@TempDir Path folder) throws Exception {
        String text = refused(folder, Second.class, First.class);
        assertTrue(text.contains("There are 2 artifacts"), text);
        assertTrue(text.contains("first: JSON; second: JSON. Keep one of them"), text);
    }

    private static String refused(Path folder, Class<?>... providers) throws Exception {
        ConfigurationException refused = with(
                folder,
                () -> assertThrows(ConfigurationException.class, () -> Topic.builder("orders", Order.class)),
                providers);
        return String.valueOf(refused.getMessage());
    }

    private interface Step<T> {
        T run() throws Exception;
    }

    /** Does something where the loader of the application finds these providers. */
    private static <T> T with(Path folder, Step<T> step, Class<?>... providers) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {listed(folder, providers)}, before)) {
            thread.setContextClassLoader(loader);
            return step.run();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static URL listed(Path folder, Class<?>... providers) throws IOException {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.write(
                services.resolve(JsonCodecProvider.class.getName()),
                Arrays.stream(providers).map(Class::getName).toList());
        return folder.toUri().toURL();
    }
}
