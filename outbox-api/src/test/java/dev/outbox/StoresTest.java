package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StoresTest {
    /** Opens nothing: it tells that it was chosen. */
    public static class First implements StoreProvider {
        @Override
        public boolean accepts(String url) {
            return url.startsWith("one:") || url.startsWith("both:");
        }

        @Override
        public Store open(String url, StoreOptions options) {
            throw new StoreException("opened by first with " + options);
        }

        @Override
        public String description() {
            return "first: one:, both:";
        }
    }

    /** Accepts an URL that the first accepts too. */
    public static final class Second extends First {
        @Override
        public boolean accepts(String url) {
            return url.startsWith("both:");
        }

        @Override
        public String description() {
            return "second: both:";
        }
    }

    @Test
    void theOneThatAcceptsOpens() {
        String text = message(StoreException.class, "one:x");
        assertEquals("opened by first with StoreOptions[]", text);
    }

    @Test
    void noneAcceptsSaysWhatWasFoundAndWhatToAdd() {
        String text = message(ConfigurationException.class, "jdbc:postgresql://app:secret@db/shop?password=secret2");
        assertTrue(text.contains("jdbc:postgresql:"), text);
        assertTrue(text.contains("first: one:, both:; second: both:"), text);
        assertTrue(text.contains("Add the artifact dev.outbox:outbox-store-jooq"), text);
        assertFalse(text.contains("secret"), text);
        assertTrue(message(ConfigurationException.class, "nosql://x").contains("Expected a URL such as"));
    }

    @Test
    void severalAcceptIsAnError() {
        String text = message(ConfigurationException.class, "both:x");
        assertTrue(text.startsWith("2 storage backends open both:x: first"), text);
        assertTrue(text.contains("Keep one of them"), text);
    }

    @Test
    void optionsAreCheckedAndNeverShown() {
        StoreOptions options =
                StoreOptions.defaults().withUser("app").withPassword("secret").withWorkers(2);
        assertEquals("StoreOptions[password, user, workers]", options.toString());
        assertEquals(2, options.getInt(StoreOptions.WORKERS, 1, 4));
        assertEquals(4, StoreOptions.defaults().getInt(StoreOptions.WORKERS, 1, 4));
        assertTrue(assertThrows(
                        ConfigurationException.class,
                        () -> options.withWorkers(0).getInt(StoreOptions.WORKERS, 1, 4))
                .getMessage()
                .contains("at least 1"));
        StoreOptions typo = StoreOptions.of(Map.of("creatSchema", "true"));
        assertTrue(
                assertThrows(ConfigurationException.class, () -> typo.requireKnown(Set.of("createSchema", "workers")))
                        .getMessage()
                        .contains("Unknown option [creatSchema]; this store knows [createSchema, workers]"));
        assertThrows(ConfigurationException.class, () -> typo.with("x", "yes").getBoolean("x", false));
        assertTrue(StoreOptions.defaults().withCreateSchema(true).getBoolean(StoreOptions.CREATE_SCHEMA, false));
    }

    private static String message(Class<? extends OutboxException> type, String url) {
        String text = assertThrows(type, () -> Stores.open(url)).getMessage();
        return text;
    }
}
