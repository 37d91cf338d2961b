// Options of libzmq that have no meaning here, and are accepted so that programs which set them go on working.

/** Options that every socket accepts, without effect. */
export interface IdleOptions {
  /**
   * Accepted without effect: there are no I/O threads to choose from. `ZMQ_AFFINITY`.
   * @default {0}
   */
  affinity: number;
  /**
   * Accepted without effect: for multicast. `ZMQ_RATE`.
   * @default {100}
   */
  rate: number;
  /**
   * Accepted without effect: for multicast. `ZMQ_RECOVERY_IVL`.
   * @default {10000}
   */
  recoveryInterval: number;
  /**
   * Accepted without effect: for multicast. `ZMQ_MULTICAST_MAXTPDU`.
   * @default {1500}
   */
  multicastMaxTransportDataUnit: number;
  /**
   * Accepted without effect: no runtime can set the type of service of a tcp connection. `ZMQ_TOS`.
   * @default {0}
   */
  typeOfService: number;
  /**
   * Accepted without effect: for Windows. `ZMQ_LOOPBACK_FASTPATH`.
   * @default {false}
   */
  loopbackFastPath: boolean;
  /**
   * Accepted without effect: there is no vmci transport. `ZMQ_VMCI_BUFFER_SIZE`.
   * @default {0}
   */
  vmciBufferSize: number;
  /**
   * Accepted without effect: there is no vmci transport. `ZMQ_VMCI_BUFFER_MIN_SIZE`.
   * @default {0}
   */
  vmciBufferMinSize: number;
  /**
   * Accepted without effect: there is no vmci transport. `ZMQ_VMCI_BUFFER_MAX_SIZE`.
   * @default {0}
   */
  vmciBufferMaxSize: number;
  /**
   * Accepted without effect: there is no vmci transport. `ZMQ_VMCI_CONNECT_TIMEOUT`.
   * @default {-1}
   */
  vmciConnectTimeout: number;
}
