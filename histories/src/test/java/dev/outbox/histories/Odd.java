package dev.outbox.histories;

import dev.outbox.OutgoingMessage;
import dev.outbox.processes.SharedLog;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Writes the one message of its partition, which is spoilt by hand before anybody else sees it. */
final class Odd {
    /** One that writers write to, in a partition that they do not use. */
    static final String TOPIC = Lane.WIDE.topic();

    static final int PARTITION = 9_999;
    static final String PLACE = TOPIC + "/" + PARTITION;

    private static final int WRITER = 0;

    private final SharedLog<Line> log;
    private int written;

    Odd(SharedLog<Line> log) {
        this.log = log;
    }

    /**
     * Writes it.
     *
     * @param before what is done in the transaction before
     * @param after and behind it
     */
    synchronized void write(Backend.Application application, Fault.Step before, Fault.Step after) throws Exception {
        Text text = new Text(WRITER, ++written, Conduct.FAST, 0, 0);
        application.begin(WRITER + "/" + written);
        before.take();
        long began = System.nanoTime();
        String id = application.persist(new OutgoingMessage(
                TOPIC, PARTITION, null, Map.of("a", "b"), text.payload().getBytes(StandardCharsets.UTF_8)));
        Story.Ending ending = Story.Ending.UNDONE;
        try {
            after.take();
            ending = Story.Ending.UNKNOWN;
            ending = application.commit();
        } finally {
            Sent sent = new Sent(TOPIC, PARTITION, text.name(), id, true, began);
            log.add(Line.now('T', WRITER, written, ending, String.join(" ", List.of(sent.toString()))));
        }
    }
}
