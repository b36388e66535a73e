package dev.outbox.tck.internal.record;

import dev.outbox.PersistedMessage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What happened in a test, for those who read of its failure. Messages go by their texts; a second message of the same
 * text is {@code text#2}. What happened several times in a row is one line. Safe for use by several threads.
 */
public final class Events {
    private static final int SHOWN = 60;
    private static final int LONGEST_TEXT = 24;

    /** Longer payloads are not decoded: to find out that megabytes are no text takes longer than many a test. */
    private static final int MOST_BYTES = 4_000;

    private final long start = System.nanoTime();
    private final Map<String, String> aliases = new HashMap<>();
    private final Map<String, Integer> uses = new HashMap<>();
    private final Deque<Event> events = new ArrayDeque<>();
    private int forgotten;

    private static final class Event {
        private final long micros;
        private final String what;
        private int times = 1;

        Event(long micros, String what) {
            this.micros = micros;
            this.what = what;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT, "%10.3f ms  %s%s", micros / 1_000.0, what, times == 1 ? "" : " (" + times + " times)");
        }
    }

    public synchronized void add(String what) {
        Event last = events.peekLast();
        if (last != null && last.what.equals(what)) {
            last.times++;
            return;
        }
        events.add(new Event((System.nanoTime() - start) / 1_000, what));
        if (events.size() > SHOWN) {
            events.remove();
            forgotten++;
        }
    }

    /** Gives a message a name: its text, if that can be read. */
    public synchronized String name(String id, byte[] payload) {
        return aliases.computeIfAbsent(id, unnamed -> {
            String text = readable(payload);
            int use = uses.merge(text, 1, Integer::sum);
            return "'" + text + "'" + (use == 1 ? "" : "#" + use);
        });
    }

    /** The name of a message, which it gets if it has none. */
    public String name(PersistedMessage message) {
        return name(message.id(), message.payload());
    }

    private static String readable(byte[] payload) {
        if (payload.length > MOST_BYTES) {
            return payload.length + " bytes";
        }
        String text = new String(payload, StandardCharsets.UTF_8);
        boolean isReadable = text.codePoints().noneMatch(Character::isISOControl) && !text.contains("\ufffd");
        if (isReadable && text.length() <= LONGEST_TEXT) {
            return text;
        }
        return (isReadable ? text.substring(0, LONGEST_TEXT / 2) + "…, " : "") + payload.length + " bytes";
    }

    /** The last of them, each a line. */
    public synchronized List<String> lines() {
        List<String> lines = new ArrayList<>();
        if (forgotten > 0) {
            lines.add("(" + forgotten + " earlier events left out)");
        }
        events.forEach(event -> lines.add(event.toString()));
        return lines;
    }
}
