package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.Finding;
import dev.outbox.Holders;
import dev.outbox.Operations;
import dev.outbox.WakeUps;
import dev.outbox.tck.internal.spec.Level;
import org.junit.jupiter.api.function.Executable;

/** What a store can do beyond the contract it says, and does; what it does without it says, with a reason. */
@AtLevel(Level.CONTRACT)
interface CapabilityRules {
    @Rule("OBX-CAP-1")
    default void capabilitiesAreDeclaredAndImplemented(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        assertEquals(client.store().capabilities(), client.store().capabilities(), "capabilities, asked for twice");
        assertEquals(client.store().capabilities(), outbox.open().store().capabilities(), "and of another client");
        outbox.saw(2);
        for (Capability capability : Capability.values()) {
            Class<?> type = switch (capability) {
                case OPERATIONS -> Operations.class;
                case BROWSING -> Browsing.class;
                case FINDING -> Finding.class;
                case HOLDERS -> Holders.class;
                case WAKE_UP -> WakeUps.class;
                case PARTITION_EXCLUSIVITY, CONCURRENT_TRANSACTIONS -> Object.class; // a behaviour
            };
            if (TestOutbox.has(client, capability)) {
                assertTrue(
                        type.isInstance(client.store()),
                        "the store declares " + capability + " but does not implement " + type.getName());
            }
        }
    }

    @Rule("OBX-CAP-2")
    default void whatIsMissingIsRefusedWithItsReason(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        for (Capability capability : Capability.values()) {
            if (TestOutbox.has(client, capability)) {
                assertEquals(
                        null, client.store().capabilities().reasonWithout(capability), "reason without " + capability);
                outbox.saw(1);
            } else {
                assertRefused(client, capability);
            }
        }
    }

    /** Whether a store does without operations. Such a store must refuse them, so that nothing else is left to test. */
    static boolean isWithoutOperations(Client client) {
        return isWithout(client, Capability.OPERATIONS);
    }

    /** Whether a store does without a capability. Such a store must refuse it, so that nothing else is left to test. */
    static boolean isWithout(Client client, Capability capability) {
        if (TestOutbox.has(client, capability)) {
            return false;
        }
        assertRefused(client, capability);
        return true;
    }

    /** What a store does without is refused, with the reason it gave. */
    static void assertRefused(Client client, Capability capability) {
        String reason = client.store().capabilities().reasonWithout(capability);
        assertTrue(reason != null && !reason.isBlank(), "the reason to do without " + capability);
        assertFalse(client.store().capabilities().has(capability), "a capability with a reason to do without");
        Executable use = switch (capability) {
            case OPERATIONS -> () -> Operations.of(client.store());
            case BROWSING -> () -> Browsing.of(client.store());
            case FINDING -> () -> Finding.of(client.store());
            case HOLDERS -> () -> Holders.of(client.store());
            case WAKE_UP -> () -> WakeUps.of(client.store());
            case PARTITION_EXCLUSIVITY, CONCURRENT_TRANSACTIONS -> null; // a behaviour: there is nothing to call
        };
        client.outbox().saw(1);
        if (use != null) {
            ConfigurationException refusal =
                    assertThrows(ConfigurationException.class, use, "using " + capability + ", which is missing");
            assertTrue(
                    String.valueOf(refusal.getMessage()).contains(reason),
                    "the refusal gives the store's reason '" + reason + "': " + refusal.getMessage());
        }
    }
}
