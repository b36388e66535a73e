package dev.outbox.internal;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes a line when something begins to fail, and one when it works again. If it comes and goes, lines are left out to
 * spare the log, but never the last word: the end of an outage is in the log if its beginning is. An outage whose
 * beginning was left out is told by a later failure. Used by one thread.
 */
public final class Outage {
    private final Log log;
    private final Log sparing;
    private final String begins;
    private final String ends;
    private boolean failing;
    private boolean told;

    /**
     * It works.
     *
     * @param begins the text of the warning that it fails, with an id
     * @param ends the text of the line that it works again, with an id
     */
    public Outage(Log log, String begins, String ends) {
        this(log, System::nanoTime, begins, ends);
    }

    Outage(Log log, LongSupplier clock, String begins, String ends) {
        this.log = log;
        this.sparing = log.sparing(clock);
        this.begins = begins;
        this.ends = ends;
    }

    /** It has failed; the details are those of the warning. */
    public void failed(@Nullable Object... details) {
        failing = true;
        if (!told) {
            told = sparing.warn(begins, details);
        }
    }

    /** It works. Returns whether it had failed. */
    public boolean works() {
        boolean before = failing;
        if (told) {
            log.info(ends);
        }
        failing = false;
        told = false;
        return before;
    }
}
