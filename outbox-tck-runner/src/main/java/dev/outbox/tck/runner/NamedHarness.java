package dev.outbox.tck.runner;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import java.lang.reflect.InvocationTargetException;

/** The harness that a system property names. */
final class NamedHarness {
    /** System property with the name of the class. */
    static final String NAME = "outbox.tck.harness";

    private NamedHarness() {}

    static StoreHarness get() {
        try {
            return make();
        } catch (CouldNotRun e) {
            throw new IllegalStateException(e);
        }
    }

    /** The tests that it can take. */
    static Class<? extends StoreTck> tests(StoreHarness harness) {
        return harness instanceof NetworkHarness ? NetworkHarnessTck.class : HarnessTck.class;
    }

    /** Makes a harness, or says why it cannot be made and what to do about it. */
    static StoreHarness make() throws CouldNotRun {
        String name = System.getProperty(NAME, "");
        Class<?> type;
        try {
            type = Class.forName(name);
        } catch (ClassNotFoundException e) {
            throw new CouldNotRun(
                    "There is no class " + name + ". Is its jar or folder on --class-path, and its name complete?", e);
        } catch (LinkageError e) {
            throw new CouldNotRun(
                    "The class " + name + " cannot be loaded: " + e + ". Is all it needs on --class-path?", e);
        }
        if (!StoreHarness.class.isAssignableFrom(type)) {
            throw new CouldNotRun(
                    name + " is no harness: it has to implement " + StoreHarness.class.getName() + ".", null);
        }
        try {
            return type.asSubclass(StoreHarness.class).getConstructor().newInstance();
        } catch (InvocationTargetException e) {
            throw new CouldNotRun("The constructor of " + name + " failed: " + e.getCause(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new CouldNotRun(
                    name + " cannot be made: it has to be a public class with a public constructor without parameters.",
                    e);
        }
    }
}
