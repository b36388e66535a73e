package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CapabilitiesTest {
    /** A store that can do nothing but say what it cannot do. */
    private record Declaring(Capabilities capabilities) implements Store {
        @Override
        public MessageBatch checkout(Set<String> topics, int limit) {
            throw new StoreException("not part of this test");
        }

        @Override
        public void close() {}
    }

    @Test
    void allUnlessStated() {
        Capabilities capabilities = Capabilities.all().without(Capability.WAKE_UP, "no notifications");
        assertTrue(Capabilities.all().has(Capability.WAKE_UP));
        assertFalse(capabilities.has(Capability.WAKE_UP));
        assertTrue(capabilities.has(Capability.OPERATIONS));
        assertEquals("no notifications", capabilities.reasonWithout(Capability.WAKE_UP));
        assertNull(capabilities.reasonWithout(Capability.OPERATIONS));
        assertEquals(Map.of(Capability.WAKE_UP, "no notifications"), capabilities.missing());
        assertThrows(ConfigurationException.class, () -> Capabilities.all().without(Capability.WAKE_UP, " "));
    }

    @Test
    void whatIsOffIsRefusedWithItsReason() {
        Store store = new Declaring(Capabilities.all().without(Capability.OPERATIONS, "rows only"));
        String text = assertThrows(ConfigurationException.class, () -> Operations.of(store))
                .getMessage();
        assertTrue(text.contains("has no OPERATIONS: rows only"), text);
    }

    @Test
    void whatIsDeclaredButNotImplementedIsSaid() {
        String text = assertThrows(ConfigurationException.class, () -> WakeUps.of(new Declaring(Capabilities.all())))
                .getMessage();
        assertTrue(text.contains("declares WAKE_UP but"), text);
        assertTrue(text.contains("does not implement dev.outbox.WakeUps"), text);
    }
}
