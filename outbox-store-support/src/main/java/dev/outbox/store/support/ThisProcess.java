package dev.outbox.store.support;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** What this process is called where operators look for the owner of a partition. */
public final class ThisProcess {
    /** Its number and its machine: {@code 4711@relay-2}. */
    public static final String NAME = ProcessHandle.current().pid() + "@" + host();

    private ThisProcess() {}

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }
}
