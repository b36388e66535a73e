package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.store.memory.internal.MemoryState;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Stores that do not give back what they were given. */
final class BrokenPayloads {
    static final List<Broken> ALL = List.of(
            writing("keeps bytes as text", m -> {
                        byte[] mangled =
                                new String(m.payload(), StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);
                        return new OutgoingMessage(m.id(), m.topic(), m.partition(), m.key(), m.headers(), mangled);
                    })
                    .breaks("OBX-BROWSE-1", "OBX-FIND-1", "OBX-DEAD-2", "OBX-OPS-6", "OBX-PAYLOAD-1", "OBX-PAYLOAD-2"),
            writing("trims headers", m -> {
                        Map<String, String> trimmed = new HashMap<>();
                        m.headers().forEach((name, value) -> trimmed.put(name, value.strip()));
                        return new OutgoingMessage(m.id(), m.topic(), m.partition(), m.key(), trimmed, m.payload());
                    })
                    .breaks("OBX-PAYLOAD-1"),
            writing("has three bytes for a character", m -> {
                        String key = m.key() == null ? null : m.key().replaceAll("[^\\x{0}-\\x{FFFF}]", "?");
                        return new OutgoingMessage(m.id(), m.topic(), m.partition(), key, m.headers(), m.payload());
                    })
                    .breaks("OBX-PAYLOAD-1", "OBX-PAYLOAD-2"),
            writing("takes an empty key for none", m -> {
                        String key = m.key() == null || m.key().isEmpty() ? null : m.key();
                        return new OutgoingMessage(m.id(), m.topic(), m.partition(), key, m.headers(), m.payload());
                    })
                    .breaks("OBX-PAYLOAD-1"),
            writing("truncates payloads at 64 KiB", m -> {
                        byte[] start = Arrays.copyOf(m.payload(), Math.min(65_535, m.payload().length));
                        return new OutgoingMessage(m.id(), m.topic(), m.partition(), m.key(), m.headers(), start);
                    })
                    .breaks("OBX-PAYLOAD-2"));

    private BrokenPayloads() {}

    private interface Mangling {
        OutgoingMessage mangled(OutgoingMessage message);
    }

    private static Broken writing(String idea, Mangling mangling) {
        return Broken.outbox(idea, () -> new MemoryState() {
            @Override
            public synchronized Written write(OutgoingMessage message) {
                return super.write(mangling.mangled(message));
            }
        });
    }
}
