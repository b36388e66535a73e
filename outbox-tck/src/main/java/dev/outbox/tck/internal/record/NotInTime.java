package dev.outbox.tck.internal.record;

/** Something that must happen did not happen while the test waited for it. */
public final class NotInTime extends AssertionError {
    private static final long serialVersionUID = 1L;

    public NotInTime(String what) {
        super(what);
    }
}
