package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.ConfigurationException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.UnifiedJedis;

/** Spring Boot 3.5 and 4.0 manage a Jedis that has not the clients that a store works with. */
class OldJedisTest {
    private static final Path OLD = Path.of("target", "old-jedis");

    /** Runs with the old Jedis. */
    @SuppressWarnings("deprecation") // the client of those who have an old Jedis
    public static final class Opening {
        private Opening() {}

        /** Opens a store by its address, and by a client of the application, and returns what each was told. */
        public static List<String> texts() {
            List<String> texts = new ArrayList<>();
            try (UnifiedJedis client = new redis.clients.jedis.JedisPooled("localhost", 1)) {
                for (Runnable way : List.<Runnable>of(
                        () -> Stores.open("redis://localhost:1").close(),
                        () -> RedisOutbox.store(client, StoreOptions.defaults()).close())) {
                    try {
                        way.run();
                        texts.add("opened");
                    } catch (ConfigurationException e) {
                        texts.add(String.valueOf(e.getMessage()));
                    }
                }
            }
            return texts;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"6.0.0", "7.0.0"})
    void openingSaysWhichPropertyToSet(String version) throws Exception {
        List<URL> urls = new ArrayList<>();
        urls.add(OLD.resolve("jedis-" + version + ".jar").toUri().toURL());
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (!Path.of(entry).getFileName().toString().startsWith("jedis-")) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        Thread thread = Thread.currentThread();
        ClassLoader usual = thread.getContextClassLoader();
        ClassLoader jdk = ClassLoader.getPlatformClassLoader();
        try (URLClassLoader old = new URLClassLoader(urls.toArray(new URL[0]), jdk)) {
            thread.setContextClassLoader(old); // in which stores are looked for
            Object texts =
                    old.loadClass(Opening.class.getName()).getMethod("texts").invoke(null);
            String text = "The Jedis on the class path is too old; the store needs " + JedisVersion.LEAST
                    + " or newer. If Spring Boot manages its version, set the property jedis.version to 7.5.3, or to"
                    + " 8.0.2, in your build; else depend on redis.clients:jedis of that version.";
            assertEquals(List.of(text, text), texts);
        } finally {
            thread.setContextClassLoader(usual);
        }
    }

    @Test
    void everyOldVersionIsTried() throws IOException {
        try (Stream<Path> jars = Files.list(OLD)) {
            assertEquals(
                    List.of("jedis-6.0.0.jar", "jedis-7.0.0.jar"),
                    jars.map(jar -> jar.getFileName().toString()).sorted().collect(Collectors.toList()));
        }
    }
}
