package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
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
                StoreOptions.defaults().withUser("app").withPassword("secret").withWakeUp(false);
        assertEquals("StoreOptions[password, user, wakeUp]", options.toString());
        StoreOption<Integer> doors = StoreOption.number("doors", 1);
        assertEquals(2, options.with(doors, 2).get(doors, 4));
        assertEquals(4, options.get(doors, 4));
        assertTrue(assertThrows(ConfigurationException.class, () -> options.with(doors, 0))
                .getMessage()
                .contains("at least 1"));
        StoreOptions typo = StoreOptions.of(Map.of("creatSchema", "true"));
        assertTrue(assertThrows(
                        ConfigurationException.class,
                        () -> typo.requireKnown(StoreOptions.CREATE_SCHEMA, StoreOptions.PREFIX))
                .getMessage()
                .contains("Unknown option [creatSchema]; this store knows [createSchema, prefix]"));
        assertThrows(
                ConfigurationException.class, () -> typo.with("wakeUp", "yes").get(StoreOptions.WAKE_UP));
        assertTrue(StoreOptions.defaults().withCreateSchema(true).get(StoreOptions.CREATE_SCHEMA, false));
        assertTrue(assertThrows(ConfigurationException.class, () -> options.refuse(StoreOptions.WAKE_UP, "so it is"))
                .getMessage()
                .contains("Option wakeUp has no effect here: so it is"));
    }

    @Test
    void optionsHaveTypesAndATextForm() {
        StoreOption<Duration> lease = StoreOption.millis("leaseMillis", Duration.ofMillis(100));
        StoreOption<String> mood = StoreOption.text("mood");
        StoreOptions typed = StoreOptions.defaults()
                .withWakeUp(true)
                .withPrefix("shop_")
                .with(lease, Duration.ofSeconds(5))
                .with(mood, "");
        assertEquals(Map.of("wakeUp", "true", "prefix", "shop_", "leaseMillis", "5000", "mood", ""), typed.asMap());
        StoreOptions text = StoreOptions.of(typed.asMap());
        assertEquals(Duration.ofSeconds(5), text.get(lease));
        assertEquals("shop_", text.get(StoreOptions.PREFIX));
        assertEquals("", text.get(mood));
        assertNull(StoreOptions.defaults().get(mood));
        assertTrue(assertThrows(ConfigurationException.class, () -> text.with(lease, Duration.ofMillis(99)))
                .getMessage()
                .contains("leaseMillis is '99'; expected a whole number of at least 100, in milliseconds"));
        assertThrows(
                ConfigurationException.class,
                () -> text.with("leaseMillis", "5 s").get(lease));
    }

    private static String message(Class<? extends OutboxException> type, String url) {
        String text = assertThrows(type, () -> Stores.open(url)).getMessage();
        return text;
    }
}
