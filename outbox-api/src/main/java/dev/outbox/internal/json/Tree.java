package dev.outbox.internal.json;

import java.util.List;
import java.util.Map;

/** A node of a tree of JSON. Its numbers have no Java types; only their values count. */
public interface Tree {
    /** What it is, as its library calls it. */
    String kind();

    /** Whether it is a number. */
    boolean isNumber();

    /** A number as it is written. */
    String number();

    /** Whether it is an object or an array. */
    boolean isContainer();

    /** The properties of an object; of other nodes none. */
    Map<String, ?> properties();

    /** The elements of an array; of other nodes none. */
    List<?> elements();
}
